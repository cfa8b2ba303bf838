"""Back from looking every second to events; and an event leads to one look, not to all."""

import asyncio
import errno
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig
from logship_tail.watching import MAX_PATHS, Watcher
from watchdog.observers.inotify_c import InotifyFD

from logship.testing import context
from logship.world import Clock, DirEntry, Disk, Offload, World
from tests.plugins.logship_tail.recording import BOUND_SECS, container, running


class CountingDisk(Disk):
    def __init__(self, offload: Offload) -> None:
        super().__init__(offload)
        self.scans: list[str] = []

    def scan(self, directory: str) -> list[DirEntry]:
        self.scans.append(directory)
        return super().scan(directory)


def key(path: Path) -> str:
    return f"node-1{path}"


def files(
    *paths: str | Path, open_inotify: Callable[[], InotifyFD] = InotifyFD, **options: object
) -> Files:
    settings = {"paths": tuple(map(str, paths)), "scan_secs": 3600.0, **options}
    return Files(FilesConfig(**settings), context("hosts"), open_inotify)  # type: ignore[arg-type]


def counting(tail: Files) -> CountingDisk:
    world = tail.context.world
    disk = CountingDisk(world.offload)
    object.__setattr__(tail.context, "world", World(Clock(), disk, world.offload))
    return disk


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_SECS):
        while not holds():
            await asyncio.sleep(0.005)


def test_a_limit_of_instances_that_was_raised_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limited = [True]

    def open_inotify() -> InotifyFD:
        if limited[0]:
            raise OSError(errno.EMFILE, "inotify instance limit reached")
        return InotifyFD()

    async def scenario() -> None:
        tail = files(tmp_path / "*.log", open_inotify=open_inotify)
        async with running(tail) as catalog:
            (tmp_path / "a.log").touch()
            await catalog.until_keys(key(tmp_path / "a.log"))
            limited[0] = False
            await until(lambda: tail._watcher.complete)
            (tmp_path / "b.log").touch()  # by an event: the next scan is an hour away
            await catalog.until_keys(key(tmp_path / "a.log"), key(tmp_path / "b.log"))

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [r.message for r in caplog.records if "max_user_instances" in r.message] == [
        r.message for r in caplog.records
    ]
    assert len(caplog.records) == 1


def test_one_instance_serves_all_the_directories_of_a_source(tmp_path: Path) -> None:
    opened = []

    def open_inotify() -> InotifyFD:
        opened.append(InotifyFD())
        return opened[-1]

    for number in range(50):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.log").touch()

    async def scenario() -> None:
        tail = files(tmp_path / "*/*.log", open_inotify=open_inotify, scan_secs=0.02)
        async with running(tail) as catalog:
            await catalog.until(lambda: len(catalog.keys) == 50)
            scans = tail._watcher.events
            (tmp_path / "7" / "y.log").touch()
            await catalog.until(lambda: len(catalog.keys) == 51)
            assert tail._watcher.events > scans

    asyncio.run(scenario())
    assert len(opened) == 1


def test_a_root_that_comes_later_goes_and_comes_again_is_watched_each_time(
    tmp_path: Path,
) -> None:
    root = tmp_path / "pods"

    async def scenario() -> None:
        tail = Kubernetes(KubernetesConfig(root=str(root), scan_secs=3600), context("containers"))
        async with running(tail) as catalog:
            await until(lambda: tail._watcher._absent)
            for number in (1, 2, 3):
                (container(root, f"shop_a_{number}") / "0.log").touch()
                await catalog.until_keys(f"test/{number}/app/0")
                await until(lambda: tail._watcher.complete)
                (container(root, f"shop_b_1{number}") / "0.log").touch()
                await catalog.until_keys(f"test/{number}/app/0", f"test/1{number}/app/0")
                shutil.rmtree(root)
                await catalog.until_keys()

    asyncio.run(scenario())


def test_the_directory_before_the_wildcards_may_come_go_and_come_again(tmp_path: Path) -> None:
    root = tmp_path / "logs"

    async def scenario() -> None:
        tail = files(root / "*/x.log")
        async with running(tail) as catalog:
            for number in (1, 2):
                (root / str(number)).mkdir(parents=True)
                (root / str(number) / "x.log").touch()
                await catalog.until_keys(key(root / str(number) / "x.log"))
                await until(lambda: tail._watcher.complete)
                shutil.rmtree(root)
                await catalog.until_keys()

    asyncio.run(scenario())


def test_an_event_among_2000_directories_leads_to_a_look_at_one(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number:04}").mkdir()
    (tmp_path / "0000" / "x.log").touch()
    first = key(tmp_path / "0000" / "x.log")

    async def scenario() -> None:
        tail = files(tmp_path / "**/*.log")
        disk = counting(tail)
        async with running(tail) as catalog:
            await catalog.until_keys(first)
            assert len(disk.scans) == 2001  # each once
            disk.scans.clear()
            new = tmp_path / "1234" / "x.log"
            new.touch()
            await catalog.until_keys(first, key(new))
            assert set(disk.scans) == {str(new.parent)}
            disk.scans.clear()
            deep = tmp_path / "0777" / "a" / "b" / "x.log"
            deep.parent.mkdir(parents=True)
            deep.touch()
            await catalog.until_keys(first, key(new), key(deep))
            assert len(disk.scans) < 20
            disk.scans.clear()
            os.rename(tmp_path / "0777", tmp_path / "moved")
            moved = tmp_path / "moved" / "a" / "b" / "x.log"
            await catalog.until_keys(first, key(new), key(moved))
            assert len(disk.scans) < 40

    asyncio.run(scenario())


def test_more_events_than_can_be_remembered_lead_to_a_look_at_everything() -> None:
    watcher = Watcher()
    for number in range(MAX_PATHS + 2):
        watcher._note(f"/logs/{number}")
    assert watcher.overflowed
    assert watcher.take() == set()


def test_an_empty_root_that_is_removed_and_made_again_is_watched_again(tmp_path: Path) -> None:
    root = tmp_path / "pods"
    root.mkdir()

    async def scenario() -> None:
        tail = Kubernetes(KubernetesConfig(root=str(root), scan_secs=3600), context("containers"))
        async with running(tail) as catalog:
            await until(lambda: str(root) in tail._watcher._watched)
            root.rmdir()
            await until(lambda: str(root) not in tail._watcher._watched)
            (container(root, "shop_a_1") / "0.log").touch()
            await catalog.until_keys("test/1/app/0")

    asyncio.run(scenario())
