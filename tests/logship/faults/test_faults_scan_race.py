"""Names move while a directory is looked at: no generation may be overlooked, above all at start.

The disk here rotates at a chosen moment: a real rename, between the agent's own calls.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from logship.catalog import Entry
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Position
from logship.source_catalog import SourceCatalog
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, InlineOffload, VirtualClock, run_virtual
from logship.world import DirEntry, Disk, Stat, World
from tests.logship.faults.stage import LOG, feed_of, follower_of, origins_of, read, rule

SEEN, OPEN = "0.log", "0.log.20261123-000000"


class RotatingDisk(Disk):
    """Calls `rotate` once, right after a scan or between a scan's entries."""

    def __init__(self, rotate: Callable[[list[DirEntry]], list[DirEntry]]) -> None:
        super().__init__(InlineOffload())
        self.rotate, self.armed = rotate, False

    def scan(self, directory: str) -> list[DirEntry]:
        found = super().scan(directory)
        if self.armed:
            self.armed = False
            found = self.rotate(found)
        return found


class CoarseDisk(RotatingDisk):
    """Stamps directories with a clock that ticks rarely, as kernels before 6.13 do."""

    tick_ns = 0

    def stat(self, path: str) -> Stat | None:
        found = super().stat(path)
        return found._replace(mtime_ns=self.tick_ns) if found and Path(path).is_dir() else found


def world_of(disk: Disk) -> World:
    return World(VirtualClock(), disk, InlineOffload())


def rotate(directory: Path) -> None:
    (directory / SEEN).rename(directory / OPEN)
    (directory / SEEN).write_bytes(cri_line("after", time_ns=10**18 + 9))


def after_the_scan(directory: Path) -> Callable[[list[DirEntry]], list[DirEntry]]:
    def turn(found: list[DirEntry]) -> list[DirEntry]:
        rotate(directory)
        return found

    return turn


def during_the_scan(directory: Path) -> Callable[[list[DirEntry]], list[DirEntry]]:
    """The old file under neither name: readdir promises nothing about what moves meanwhile."""

    def turn(found: list[DirEntry]) -> list[DirEntry]:
        rotate(directory)
        return [entry for entry in found if entry.name != SEEN]

    return turn


@pytest.mark.parametrize("moment", [after_the_scan, during_the_scan])
@pytest.mark.parametrize("saved", [True, False])
def test_a_rotation_while_an_agent_starts_hides_nothing(
    tmp_path: Path,
    moment: Callable[[Path], Callable[[list[DirEntry]], list[DirEntry]]],
    saved: bool,
) -> None:
    async def go() -> None:
        (tmp_path / SEEN).write_bytes(cri_line("before", time_ns=10**18))
        disk = RotatingDisk(moment(tmp_path))
        world = world_of(disk)
        position = None
        if saved:
            position = Position(follower_of(tmp_path, world).generations[0].generation, 0)
            disk.armed = True
        else:
            disk.armed = True
        losses: list[object] = []
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world, losses, position)
        got = await read(feed)
        for _ in range(5):
            await world.clock.sleep(1)
            follower.poll()
            got += await read(feed)
        assert (got, losses) == (["before", "after"], [])

    run_virtual(go())


def test_a_saved_generation_that_shows_up_late_is_waited_for(tmp_path: Path) -> None:
    async def go() -> None:
        (tmp_path / SEEN).write_bytes(cri_line("before", time_ns=10**18))
        world = world_of(Disk(InlineOffload()))
        position = Position(follower_of(tmp_path, world).generations[0].generation, 0)
        hidden = tmp_path / "elsewhere"
        (tmp_path / SEEN).rename(hidden)
        (tmp_path / SEEN).write_bytes(cri_line("after", time_ns=10**18 + 9))
        losses: list[object] = []
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world, losses, position)
        assert await read(feed) == []
        hidden.rename(tmp_path / OPEN)
        got = await read(feed)
        for _ in range(3):
            await world.clock.sleep(1)
            got += await read(feed)
        assert (got, losses) == (["before", "after"], [])

    run_virtual(go())


def test_two_changes_in_one_tick_of_the_clock_hide_nothing_when_an_agent_starts(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        directory = tmp_path / "pod"
        directory.mkdir()
        (directory / SEEN).write_bytes(cri_line("before", time_ns=10**18))
        disk = CoarseDisk(during_the_scan(directory))
        disk.tick_ns, disk.armed = EPOCH_NS, True
        world = world_of(disk)
        origins, _ = origins_of(tmp_path / "state", world, [rule("r")])
        waiting: list[Entry] = []
        catalog = SourceCatalog("s", origins, waiting.append, world, LOG)
        catalog.add(Origin("k", Labels({})), LogFile(str(directory), SEEN))
        await origins.bind(waiting.pop())
        feed = next(iter(origins.entries["k"].bindings.values())).feed
        got = await read(feed)
        await world.clock.sleep(2)
        assert got + await read(feed) == ["before", "after"]

    run_virtual(go())
