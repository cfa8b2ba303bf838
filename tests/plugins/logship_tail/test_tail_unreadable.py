"""What cannot be found or read is said once, and in the words of what is wrong."""

import asyncio
import errno
import logging
from pathlib import Path

import pytest
from logship_tail.files import Files, FilesConfig
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

from logship.testing import context
from logship.world import Clock, DirEntry, Disk, Offload, World
from tests.plugins.logship_tail.recording import BOUND_SECS, running


class Forbidding(InotifyFD):
    """As watchdog answers EACCES: -1, and no exception."""

    forbidden = b"private"

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        if path.endswith(self.forbidden):
            return WatchDescriptor(-1)
        return super().add_callback(path, mask, callback, id_)


class ForbiddingDisk(Disk):
    def scan(self, directory: str) -> list[DirEntry]:
        if directory.endswith("private"):
            raise PermissionError(errno.EACCES, "Permission denied", directory)
        return super().scan(directory)


def files(*paths: str, scan_secs: float = 0.05) -> Files:
    offload = Offload(threads=2)
    here = context("hosts", using=World(Clock(), ForbiddingDisk(offload), offload))
    return Files(FilesConfig(paths=paths, scan_secs=scan_secs), here, Forbidding)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


async def until_said(caplog: pytest.LogCaptureFixture, words: str) -> None:
    async with asyncio.timeout(BOUND_SECS):
        while not any(words in text for text in said(caplog)):
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("glob", ["*/*.log", "**/*.log"])
def test_a_directory_that_may_not_be_read_is_no_limit_of_inotify_and_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, glob: str
) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "a.log").touch()

    async def scenario() -> None:
        async with running(files(f"{tmp_path}/{glob}")) as catalog:
            await catalog.until_keys(f"node-1{tmp_path}/public/a.log")
            await until_said(caplog, "because a directory may not be watched")
            (tmp_path / "public" / "b.log").touch()
            await catalog.until(lambda: len(catalog.keys) == 2)

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    texts = said(caplog)
    assert len(texts) == 2
    assert all(f"{tmp_path}/private" in text for text in texts)
    assert "right to read" in texts[1]
    assert "inotify" not in "".join(texts).replace(str(tmp_path), "")


def test_paths_that_no_file_fits_are_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a.log").touch()
    fitting, missing = f"{tmp_path}/*.log", [f"{tmp_path}/*.lgo", f"{tmp_path}/no/x.log"]

    async def scenario() -> None:
        async with running(files(fitting, *missing)) as catalog:
            await catalog.until_keys(f"node-1{tmp_path}/a.log")
            await until_said(caplog, "no file fits these paths")
            (tmp_path / "b.lgo").touch()  # it is read all the same
            await catalog.until(lambda: len(catalog.keys) == 2)
            await asyncio.sleep(0.2)  # some more scans say nothing more

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    (text,) = said(caplog)
    assert ", ".join(missing) in text
    assert fitting not in text
