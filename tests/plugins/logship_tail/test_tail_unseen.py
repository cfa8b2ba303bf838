"""A look that sees a log under no name for a moment: nothing is retired, closed or forgotten.

A rename while a directory is read can hide a file from the reader. The disk here hides names for a
span of virtual time; everything else is the real source, catalog and feed.
"""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig
from watchdog.observers.inotify_c import InotifyFD

from logship.api import Source
from logship.catalog import Entry, Origins
from logship.checkpoint import KEEP_FINISHED_SECS, Checkpoint
from logship.journal import Key
from logship.source_catalog import SourceCatalog
from logship.tail.feed import DiskFeed
from logship.testing import context, cri_line
from logship.testing.virtual_time import InlineOffload, VirtualClock, run_virtual
from logship.world import DirEntry, Disk, World
from tests.logship.faults.stage import LOG, origins_of, rule
from tests.plugins.logship_tail.recording import Recorder, container

POD, KEY = "shop_web_11-22", "test/11-22/app/0"


class HidingDisk(Disk):
    """Scans see no files for as long as `hidden`; what has a path is there all the same."""

    def __init__(self) -> None:
        super().__init__(InlineOffload())
        self.hidden = False
        self.misses = 0

    def scan(self, directory: str) -> list[DirEntry]:
        found = super().scan(directory)
        if not self.hidden:
            return found
        self.misses += any(not entry.is_dir for entry in found)
        return [entry for entry in found if entry.is_dir]


def no_inotify() -> InotifyFD:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


def kubernetes(root: Path, disk: Disk) -> Kubernetes:
    here = context("s")
    object.__setattr__(here, "world", World(VirtualClock(), disk, InlineOffload()))
    return Kubernetes(KubernetesConfig(root=str(root)), here, no_inotify)


def files(root: Path, disk: Disk) -> Files:
    here = context("s")
    object.__setattr__(here, "world", World(VirtualClock(), disk, InlineOffload()))
    return Files(FilesConfig(paths=(f"{root}/*/*/*.log",)), here, no_inotify)


@dataclass
class Stage:
    source: Source
    origins: Origins
    checkpoint: Checkpoint
    undecided: list[Entry]

    async def bound(self, key: str) -> DiskFeed:
        while not self.undecided:
            await asyncio.sleep(0.01)
        await self.origins.bind(self.undecided.pop())
        feed = self.origins.entries[key].bindings["r"].feed
        assert isinstance(feed, DiskFeed)
        return feed

    async def secs(self, secs: float, feed: DiskFeed) -> list[tuple[str, bool]]:
        """What comes meanwhile: (text, whether it is marked unfinished)."""
        found = []
        for _ in range(int(secs / 0.05)):
            await asyncio.sleep(0.05)
            if (batch := await feed.take(1 << 18)) is not None:
                rows = batch.rows
                found += [(text, rows.mark(n).unfinished) for n, text in enumerate(rows.texts)]
                feed.settle(batch)
            self.origins.sweep()
        return found


@asynccontextmanager
async def running(source: Source, state: Path) -> AsyncIterator[Stage]:
    world = source.context.world
    origins, checkpoint = origins_of(state, world, [rule("r")])
    undecided: list[Entry] = []
    catalog = SourceCatalog("s", origins, undecided.append, world, LOG)
    tasks = [asyncio.create_task(source.run(catalog)), asyncio.create_task(origins.pulse.run())]
    try:
        yield Stage(source, origins, checkpoint, undecided)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        origins.close()


def test_an_open_record_and_a_position_outlive_looks_that_see_no_file(tmp_path: Path) -> None:
    live = container(tmp_path / "pods", POD) / "0.log"
    live.write_bytes(cri_line("whole") + cri_line("first ", tag="P"))
    disk = HidingDisk()

    async def scenario() -> None:
        async with running(kubernetes(tmp_path / "pods", disk), tmp_path / "state") as stage:
            feed = await stage.bound(KEY)
            assert await stage.secs(0.2, feed) == [("whole", False)]
            while not disk.misses:
                disk.hidden = True
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)  # and whoever looks at the directory right then
            disk.hidden = False
            assert await stage.secs(3, feed) == []
            stage.checkpoint.update(*stage.origins.standing(everything=True))
            assert stage.checkpoint.position("r", KEY) == feed.committed
            assert not stage.origins.entries[KEY].retired
            with live.open("ab") as out:
                out.write(cri_line("second", tag="F"))
            assert await stage.secs(2, feed) == [("first second", False)]

    run_virtual(scenario())


def test_a_rotation_while_the_log_is_out_of_sight_tears_no_record(tmp_path: Path) -> None:
    live = container(tmp_path / "pods", POD) / "0.log"
    live.write_bytes(cri_line("first ", tag="P", time_ns=10**18))
    disk = HidingDisk()

    async def scenario() -> None:
        async with running(kubernetes(tmp_path / "pods", disk), tmp_path / "state") as stage:
            feed = await stage.bound(KEY)
            assert await stage.secs(0.2, feed) == []
            disk.hidden = True
            live.rename(live.with_name("0.log.20261123-000000"))
            live.write_bytes(cri_line("second", tag="F", time_ns=10**18 + 9))
            while not disk.misses:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
            disk.hidden = False
            assert await stage.secs(4, feed) == [("first second", False)]

    run_virtual(scenario())


def test_a_follower_that_saw_no_name_looks_again_though_the_directory_is_as_it_was(
    tmp_path: Path,
) -> None:
    live = container(tmp_path / "pods", POD) / "0.log"
    live.write_bytes(cri_line("a"))
    disk = HidingDisk()

    async def scenario() -> None:
        async with running(kubernetes(tmp_path / "pods", disk), tmp_path / "state") as stage:
            feed = await stage.bound(KEY)
            assert await stage.secs(0.2, feed) == [("a", False)]
            follower = stage.origins.entries[KEY].follower
            assert follower is not None
            disk.hidden = True
            follower.refresh()
            disk.hidden = False
            assert not follower.generations[0].live
            await stage.secs(5, feed)
            assert follower.generations[0].live

    run_virtual(scenario())


@pytest.mark.parametrize("make", [kubernetes, files])
@pytest.mark.parametrize("looks", [1, 2])
def test_a_log_retires_when_two_looks_do_not_see_it(
    tmp_path: Path, make: object, looks: int
) -> None:
    live = container(tmp_path, POD) / "0.log"
    live.touch()
    disk = HidingDisk()

    async def scenario() -> None:
        source = kubernetes(tmp_path, disk) if make is kubernetes else files(tmp_path, disk)
        recorder = Recorder()
        task = asyncio.create_task(source.run(recorder))
        while not recorder.keys:
            await asyncio.sleep(0.01)
        (key,) = recorder.keys
        disk.hidden = True
        while disk.misses < looks:
            await asyncio.sleep(0.001)
        disk.hidden = False
        gone = looks == 2
        assert recorder.told("retire", key) == gone
        await asyncio.sleep(10)
        assert recorder.told("retire", key) == gone  # and it is there again
        assert recorder.keys == {key}
        task.cancel()
        await asyncio.wait([task])

    run_virtual(scenario())


def test_a_position_is_forgotten_only_with_its_log(tmp_path: Path) -> None:
    live = container(tmp_path / "pods", POD) / "0.log"
    size = live.write_bytes(cri_line("a"))
    disk = HidingDisk()

    async def scenario() -> None:
        async with running(kubernetes(tmp_path / "pods", disk), tmp_path / "state") as stage:
            feed = await stage.bound(KEY)
            await stage.secs(1, feed)
            stage.checkpoint.update(*stage.origins.standing(everything=True))
            live.unlink()
            await stage.secs(10, feed)
            assert Key("r", KEY) not in stage.origins.standing(everything=True)[0]
            at = stage.checkpoint.position("r", KEY)
            assert at is not None, "an agent that takes over would send it again"
            assert at.offset == size
            await asyncio.sleep(KEEP_FINISHED_SECS)
            await stage.checkpoint.save()
            assert stage.checkpoint.position("r", KEY) is None

    run_virtual(scenario())
