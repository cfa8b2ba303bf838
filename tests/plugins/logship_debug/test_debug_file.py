"""file: rotated by size, private, and whole lines only."""

import asyncio
import resource
import signal
import stat
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from logship_debug.file import File, FileConfig

from logship.api import DELIVERED, ConfigError, Retry
from logship.testing import context, texts_batch
from logship.world import Clock, Disk, Offload, World


class RecordingDisk(Disk):
    """A real disk that remembers whether appends were synced."""

    def __init__(self, offload: Offload) -> None:
        super().__init__(offload)
        self.synced: list[bool] = []

    def append(self, path: str, content: bytes, *, sync: bool) -> int:
        self.synced.append(sync)
        return super().append(path, content, sync=sync)


@pytest.fixture
def using() -> Iterator[World]:
    offload = Offload(threads=2)
    yield World(Clock(), RecordingDisk(offload), offload)
    offload.close()


def run(call: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await call

    asyncio.run(bounded())


async def write_each(sink: File, texts: list[str]) -> None:
    for text in texts:
        assert await sink.write([texts_batch([text])]) == DELIVERED


def texts_in(path: Path) -> list[str]:
    return [orjson.loads(line)["text"] for line in path.read_bytes().splitlines()]


def test_files_are_rotated_before_they_grow_beyond_the_limit(tmp_path: Path, using: World) -> None:
    config = FileConfig(dir=str(tmp_path), max_bytes=1024, max_files=100)
    texts = [f"{number} " + "x" * 150 for number in range(20)]

    async def scenario() -> None:
        sink = File(config, context(using=using))
        await sink.start()
        await write_each(sink, texts)
        await sink.close()

    run(scenario())
    numbers = sorted((int(path.suffix[1:]) for path in tmp_path.glob("*.jsonl.*")), reverse=True)
    files = [tmp_path / f"logship.jsonl.{number}" for number in numbers]
    files.append(tmp_path / "logship.jsonl")
    assert len(files) > 3
    assert [text for path in files for text in texts_in(path)] == texts
    assert all(path.stat().st_size <= 1024 for path in files)


@pytest.mark.parametrize(("max_files", "left"), [(1, [9]), (3, [7, 8, 9])])
def test_no_more_files_than_allowed_are_kept(
    tmp_path: Path, using: World, max_files: int, left: list[int]
) -> None:
    config = FileConfig(dir=str(tmp_path), max_bytes=1024, max_files=max_files)

    async def scenario() -> None:
        sink = File(config, context(using=using))
        await sink.start()
        await write_each(sink, [f"{number} " + "x" * 800 for number in range(10)])
        await sink.close()

    run(scenario())
    kept = [int(text.split()[0]) for path in tmp_path.iterdir() for text in texts_in(path)]
    assert sorted(kept) == left


def test_files_and_their_directory_are_private(tmp_path: Path, using: World) -> None:
    async def scenario() -> None:
        sink = File(FileConfig(dir=str(tmp_path / "a" / "b")), context(using=using))
        await sink.start()
        await write_each(sink, ["x"])
        await sink.close()

    run(scenario())
    path = tmp_path / "a" / "b" / "logship.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_line_that_a_crash_tore_does_not_swallow_the_next(tmp_path: Path, using: World) -> None:
    path = tmp_path / "logship.jsonl"
    path.write_bytes(b'{"text":"whole"}\n{"text":"to')

    async def scenario() -> None:
        sink = File(FileConfig(dir=str(tmp_path)), context(using=using))
        await sink.start()
        await write_each(sink, ["next"])
        await sink.close()

    run(scenario())
    first, torn, last = path.read_bytes().splitlines()
    assert (first, torn) == (b'{"text":"whole"}', b'{"text":"to')
    assert orjson.loads(last)["text"] == "next"


def test_a_write_that_does_not_fit_leaves_no_torn_line_and_comes_again(
    tmp_path: Path, using: World
) -> None:
    path = tmp_path / "logship.jsonl"
    batch = texts_batch(["x" * 2000])

    async def scenario() -> None:
        sink = File(FileConfig(dir=str(tmp_path)), context(using=using))
        await sink.start()
        await write_each(sink, ["before"])
        with file_size_limit(path.stat().st_size + 100), pytest.raises(Retry, match="too large"):
            await sink.write([batch])
        assert texts_in(path) == ["before"]
        assert await sink.write([batch]) == DELIVERED
        await sink.close()

    run(scenario())
    assert texts_in(path) == ["before", "x" * 2000]


class file_size_limit:
    """The kernel's own limit of this process: a write gets through in part, the rest fails."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._size, self._before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)
        signal.signal(signal.SIGXFSZ, self._handler)


@pytest.mark.parametrize("fsync", [False, True])
def test_fsync_is_done_if_asked_for(tmp_path: Path, using: World, fsync: bool) -> None:
    async def scenario() -> None:
        sink = File(FileConfig(dir=str(tmp_path), fsync=fsync), context(using=using))
        await sink.start()
        await write_each(sink, ["a", "b"])
        await sink.close()

    run(scenario())
    assert isinstance(using.disk, RecordingDisk)
    assert using.disk.synced[1:] == [fsync, fsync]


def test_a_directory_that_cannot_be_made_is_an_error_at_start(tmp_path: Path, using: World) -> None:
    (tmp_path / "taken").write_text("")
    sink = File(FileConfig(dir=str(tmp_path / "taken" / "x")), context("out", using=using))

    async def scenario() -> None:
        with pytest.raises(ConfigError, match="choose another directory") as raised:
            await sink.start()
        assert raised.value.path == "sinks.out.dir"

    run(scenario())
