"""Which deleted files are let go: decided with numbers."""

from dataclasses import dataclass

from logship.config import HeldConfig
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Generation
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.held import HeldFile, excess
from logship.tail.loss import Reason
from logship.testing import world
from logship.world import Space

GB = 1 << 30
ROOMY = {1: Space(100 * GB, 90 * GB), 2: Space(100 * GB, 90 * GB)}


@dataclass(frozen=True)
class Bound:
    max_bytes: int = 1 << 40
    max_files: int = 1000
    min_free_percent: float = 0.0


def file(began: int, unsettled: int, *, device: int = 1, disk_bytes: int = 0) -> HeldFile:
    log = LogGeneration(
        Generation(began, 0), 0, (device, began), unsettled, False, 0, 0.0,
        links=0, disk_bytes=disk_bytes or unsettled,
    )  # fmt: skip
    return HeldFile(_nobody(), log, unsettled)


def _nobody() -> Follower:
    here = world()
    here.offload.close()
    import logging

    return Follower(Origin("o", Labels({})), LogFile("/x", "0.log"), here, logging.getLogger("t"))


def chosen(
    files: list[HeldFile], bound: Bound, spaces: dict[int, Space]
) -> list[tuple[int, Reason]]:
    return [(f.log.generation.time_ns, why) for f, why in excess(files, bound, spaces)]


def test_within_all_bounds_nothing_is_let_go() -> None:
    assert chosen([file(1, 10), file(2, 10)], Bound(20, 2), ROOMY) == []


def test_the_oldest_go_first_and_only_as_many_as_needed() -> None:
    files = [file(3, 10), file(1, 10), file(4, 10), file(2, 10)]
    assert chosen(files, Bound(max_bytes=20), ROOMY) == [
        (1, Reason.MAX_BYTES), (2, Reason.MAX_BYTES),
    ]  # fmt: skip
    assert chosen(files, Bound(max_bytes=21), ROOMY) == chosen(files, Bound(max_bytes=20), ROOMY)
    assert chosen(files, Bound(max_bytes=30), ROOMY) == [(1, Reason.MAX_BYTES)]
    assert chosen(files, Bound(max_files=3), ROOMY) == [(1, Reason.MAX_FILES)]
    assert len(chosen(files, Bound(max_bytes=0), ROOMY)) == 4


def test_a_full_disk_lets_go_of_its_own_files_until_enough_is_free() -> None:
    spaces = {1: Space(100 * GB, 11 * GB), 2: Space(100 * GB, 50 * GB)}
    files = [
        file(1, 1, device=2, disk_bytes=5 * GB),
        file(2, 1, disk_bytes=GB // 2),
        file(3, 1, disk_bytes=GB // 2),
        file(4, 1, disk_bytes=GB),
    ]
    assert chosen(files, Bound(min_free_percent=12), spaces) == [
        (2, Reason.DISK_FULL), (3, Reason.DISK_FULL),
    ]  # fmt: skip
    assert chosen(files, Bound(min_free_percent=11), spaces) == []


def test_what_one_bound_takes_counts_for_the_others() -> None:
    files = [file(1, 10), file(2, 1), file(3, 1)]
    assert chosen(files, Bound(max_bytes=2, max_files=2), ROOMY) == [(1, Reason.MAX_BYTES)]


def test_the_defaults_hold_two_gib_and_let_go_before_the_kubelet_evicts() -> None:
    assert HeldConfig().max_bytes == 2 * GB
    assert HeldConfig().min_free_percent > 10
