"""What happens to files while they are followed."""

import gzip
import logging
from pathlib import Path

from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Position
from logship.tail.feed import DiskFeed
from logship.tail.follow import QUIET_SECS, Follower
from logship.tail.loss import Loss
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World


def follower_of(directory: Path, world: World) -> Follower:
    origin = Origin("c/uid/app/0", Labels({}))
    follower = Follower(origin, LogFile(str(directory), "0.log"), world, logging.getLogger("test"))
    follower.refresh()
    return follower


async def texts(follower: Follower, world: World, losses: list[str]) -> list[str]:
    def lost(loss: Loss) -> None:
        losses.append(loss.reason.said)

    feed = DiskFeed("r", follower, world, None, lambda: None, lost)
    found: list[str] = []
    for _ in range(100):
        batch = await feed.take(262144)
        if batch is not None:
            found += batch.rows.texts
            feed.settle(batch)
    assert feed.waiting() == 0
    return found


def test_a_file_that_is_written_and_deleted_at_once_is_read(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        live = tmp_path / "0.log"
        live.touch()
        follower = follower_of(tmp_path, world)
        live.write_bytes(cri_line("last words"))
        live.unlink()
        follower.refresh()
        assert follower.poll()
        assert await texts(follower, world, []) == ["last words"]

    run_virtual(go())


def test_what_a_damaged_gz_still_says_is_read_and_the_rest_is_a_loss(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        lines = b"".join(cri_line(f"{n} {n * 7919}", time_ns=10**18 + n) for n in range(20_000))
        packed = gzip.compress(lines)
        (tmp_path / "0.log.20261123-000000.gz").write_bytes(packed[: len(packed) // 2])
        (tmp_path / "0.log").write_bytes(cri_line("next"))
        losses: list[str] = []
        found = await texts(follower_of(tmp_path, world), world, losses)
        assert found[0] == "0 0"
        assert found[-1] == "next"
        assert 1000 < len(found) < 20_000
        assert losses == ["a compressed file is damaged"]

    run_virtual(go())


def test_a_truncated_file_begins_again_as_another_generation(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("old and long enough"))
        follower = follower_of(tmp_path, world)
        feed = DiskFeed("r", follower, world, None, lambda: None, lambda loss: None)
        batch = await feed.take(262144)
        assert batch is not None
        feed.settle(batch)
        live.write_bytes(cri_line("new", time_ns=1_900_000_000_000_000_000))
        follower.poll()
        follower.refresh()
        await world.clock.sleep(QUIET_SECS)
        batch = await feed.take(262144)
        assert batch is not None
        assert list(batch.rows.texts) == ["new"]

    run_virtual(go())


def test_an_agent_that_starts_lets_go_of_what_was_settled_before(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        for n in range(3):
            (tmp_path / f"0.log.2026112{n}-000000").write_bytes(cri_line("x", time_ns=10**18 + n))
        (tmp_path / "0.log").write_bytes(cri_line("new", time_ns=10**18 + 9))
        position = Position(follower_of(tmp_path, world).generations[-1].generation, 0)
        follower = follower_of(tmp_path, world)
        feed = DiskFeed("r", follower, world, position, lambda: None, lambda loss: None)
        follower.add_feed(feed)
        assert await feed.take(1) is not None  # nothing of it is settled yet
        assert [log.live for log in follower.generations] == [True]

    run_virtual(go())


def test_what_a_silent_log_says_right_after_its_rotation_is_read(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        live, old = tmp_path / "0.log", tmp_path / "0.log.20261123-000000"
        live.write_bytes(cri_line("a", time_ns=10**18))
        follower = follower_of(tmp_path, world)
        feed = DiskFeed("r", follower, world, None, lambda: None, lambda loss: None)
        follower.add_feed(feed)
        found: list[str] = []

        async def read() -> None:
            follower.look_again()
            while (batch := await feed.take(262144)) is not None:
                found.extend(batch.rows.texts)
                feed.settle(batch)

        await read()
        await world.clock.sleep(60)
        live.rename(old)
        live.write_bytes(cri_line("c", time_ns=10**18 + 9))
        await read()
        with old.open("ab") as file:  # the runtime's flush comes after its new file
            file.write(cri_line("b", time_ns=10**18 + 1))
        for _ in range(3):
            await read()
            await world.clock.sleep(QUIET_SECS)
        assert found == ["a", "b", "c"]

    run_virtual(go())
