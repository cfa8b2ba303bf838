"""`file` on a real directory, over a disk that can be full, lie or wait."""

import asyncio
import errno
import itertools
import threading
from pathlib import Path

from logship_debug.file import File, FileConfig

from logship.testing import context
from logship.world import Clock, Disk, Offload, World
from tests.contract.harness import Able, Harness, Stored
from tests.contract.harnesses.json_lines import descriptors_of, stored_lines

_WAIT_SECS = 10.0


class TroubledDisk(Disk):
    """A real disk, until trouble is asked for."""

    def __init__(self, offload: Offload) -> None:
        super().__init__(offload)
        self.trouble = Able.STORE
        self.reached = threading.Event()
        self.healed = threading.Event()
        self._turns = itertools.cycle([1, 0, 2, 0])

    def append(self, path: str, content: bytes, *, sync: bool) -> int:
        flaky = self.trouble is Able.FLAKE and next(self._turns)
        if self.trouble is Able.FAIL or flaky == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        if self.trouble is Able.STALL:
            self.reached.set()
            assert self.healed.wait(_WAIT_SECS)
        size = super().append(path, content, sync=sync)
        if self.trouble is Able.LOSE or flaky == 2:
            raise OSError(errno.EIO, "Input/output error")
        return size


class FileHarness(Harness):
    able = frozenset({Able.STORE, Able.FAIL, Able.FLAKE, Able.LOSE, Able.STALL})

    def __init__(self, tmp_path: Path) -> None:
        self._dir = tmp_path / "out"
        offload = Offload(threads=2)
        self._disk = TroubledDisk(offload)
        self._context = context("file", using=World(Clock(), self._disk, offload))

    async def __aenter__(self) -> "FileHarness":
        config = FileConfig(dir=str(self._dir), max_bytes=64 * 1024, max_files=1000)
        self.sink = File(config, self._context)
        await self.sink.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.sink.close()
        self._context.world.offload.close()

    async def stored(self) -> list[Stored]:
        files = self._dir.glob("logship.jsonl*")
        return [row for file in files for row in stored_lines(file.read_bytes())]

    def fail(self) -> None:
        self._disk.trouble = Able.FAIL

    def flake(self) -> None:
        self._disk.trouble = Able.FLAKE

    def lose(self) -> None:
        self._disk.trouble = Able.LOSE

    def stall(self) -> None:
        self._disk.trouble = Able.STALL

    async def stalled(self) -> None:
        assert await asyncio.to_thread(self._disk.reached.wait, _WAIT_SECS)

    def heal(self) -> None:
        self._disk.trouble = Able.STORE
        self._disk.healed.set()

    def held_open(self) -> list[str]:
        return descriptors_of(self._dir)
