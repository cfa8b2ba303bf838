"""Watching: what inotify cannot give is found by looking every second, and said once."""

import asyncio
import errno
import logging
import os
import shutil
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from logship_tail.kubernetes import Kubernetes, KubernetesConfig
from logship_tail.watching import Watcher
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from logship.testing import context
from tests.plugins.logship_tail.recording import BOUND_SECS, Recorder, container, running


class FewWatches(InotifyFD):
    """A kernel whose limit of watches is low."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.left = limit

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        if self.left <= 0:
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        self.left -= 1
        return super().add_callback(path, mask, callback, id_)


class Deaf(InotifyFD):
    """A kernel whose queue of events is full."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf = False
        self.lost = threading.Event()

    def handle_event(self, event: InotifyEvent) -> None:
        if self.deaf:
            self.lost.set()
        else:
            super().handle_event(event)


def no_instance() -> InotifyFD:
    raise OSError(errno.EMFILE, "inotify instance limit reached")


def source(root: Path, open_inotify: Callable[[], InotifyFD], scan_secs: float) -> Kubernetes:
    config = KubernetesConfig(root=str(root), scan_secs=scan_secs)
    return Kubernetes(config, context("containers"), open_inotify)


@pytest.mark.parametrize("open_inotify", [no_instance, lambda: FewWatches(2)])
def test_without_inotify_everything_is_looked_at_every_second_and_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, open_inotify: Callable[[], InotifyFD]
) -> None:
    directory = container(tmp_path, "shop_a_1")

    async def scenario() -> None:
        async with running(source(tmp_path, open_inotify, scan_secs=3600)) as catalog:
            (directory / "0.log").touch()
            await catalog.until_keys("test/1/app/0")
            (directory / "1.log").touch()
            await catalog.until_keys("test/1/app/0", "test/1/app/1")
            os.rename(directory / "1.log", directory / "1.log.1")
            await catalog.until(lambda: catalog.told("touch", "test/1/app/1") == 1)
            shutil.rmtree(directory)
            await catalog.until_keys()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    assert [r.message for r in caplog.records if "every second" in r.message] == [
        r.message for r in caplog.records
    ]
    assert len(caplog.records) == 1
    assert "fs.inotify.max_user_" in caplog.records[0].message


def test_a_limit_of_watches_that_was_raised_is_used(tmp_path: Path) -> None:
    inotify = FewWatches(2)
    directory = container(tmp_path, "shop_a_1")
    (directory / "0.log").touch()

    async def scenario() -> None:
        tail = source(tmp_path, lambda: inotify, scan_secs=0.02)
        async with running(tail) as catalog:
            await catalog.until_keys("test/1/app/0")
            assert not tail._watcher.complete
            inotify.left = 100
            async with asyncio.timeout(BOUND_SECS):
                while not tail._watcher.complete:
                    await asyncio.sleep(0.005)

    asyncio.run(scenario())


def test_lost_events_lead_to_a_look_at_everything(tmp_path: Path) -> None:
    directory = container(tmp_path, "shop_a_1")
    (directory / "0.log").touch()
    inotify = Deaf()

    async def scenario() -> None:
        tail = source(tmp_path, lambda: inotify, scan_secs=3600)
        async with running(tail) as catalog:
            await catalog.until_keys("test/1/app/0")
            inotify.deaf = True
            (directory / "1.log").touch()
            await asyncio.to_thread(inotify.lost.wait, BOUND_SECS)
            inotify.deaf = False
            assert "test/1/app/1" not in catalog.keys
            overflow = Mask(InotifyConstants.IN_Q_OVERFLOW)
            inotify.handle_event(InotifyEvent(WatchDescriptor(-1), overflow, 0, b""))
            await catalog.until_keys("test/1/app/0", "test/1/app/1")

    asyncio.run(scenario())


def test_a_directory_that_is_renamed_is_watched_under_its_new_name(tmp_path: Path) -> None:
    (container(tmp_path, "shop_a_1") / "0.log").touch()

    async def scenario() -> None:
        tail = source(tmp_path, InotifyFD, scan_secs=3600)
        async with running(tail) as catalog:
            await catalog.until_keys("test/1/app/0")
            os.rename(tmp_path / "shop_a_1", tmp_path / "shop_a_2")
            await catalog.until_keys("test/2/app/0")
            (tmp_path / "shop_a_2" / "app" / "1.log").touch()
            await catalog.until_keys("test/2/app/0", "test/2/app/1")
            (container(tmp_path, "shop_a_1") / "0.log").touch()
            (container(tmp_path, "shop_b_3") / "0.log").touch()  # events before this are used up
            await catalog.until(lambda: {"test/1/app/0", "test/3/app/0"} < catalog.keys)
            (tmp_path / "shop_a_1" / "app" / "1.log").touch()
            await catalog.until(lambda: "test/1/app/1" in catalog.keys)
            watched = tail._watcher._watched
            assert len({directory.wd for directory in watched.values()}) == len(watched) == 7

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(scenario())


def test_churn_of_directories_leaves_no_watch_behind(tmp_path: Path) -> None:
    (container(tmp_path, "shop_stays_0") / "0.log").touch()

    async def churn(catalog: Recorder) -> None:
        for number in range(1, 30):
            (container(tmp_path, f"shop_a_{number}") / "0.log").touch()
            await catalog.until_keys("test/0/app/0", f"test/{number}/app/0")
            shutil.rmtree(tmp_path / f"shop_a_{number}")
            await catalog.until_keys("test/0/app/0")

    async def scenario() -> None:
        tail = source(tmp_path, InotifyFD, scan_secs=3600)
        async with running(tail) as catalog:
            await churn(catalog)
            async with asyncio.timeout(BOUND_SECS):
                while len(tail._watcher._watched) > 3:
                    await asyncio.sleep(0.005)

    asyncio.run(scenario())


def test_a_stopped_watcher_ends_its_thread_and_its_descriptors(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def scenario() -> None:
        before = descriptors()
        watcher = Watcher()
        watcher.start()
        watcher.watch(str(tmp_path))
        assert watcher.complete
        assert descriptors() > before
        watcher.stop()
        assert descriptors() == before

    asyncio.run(scenario())
