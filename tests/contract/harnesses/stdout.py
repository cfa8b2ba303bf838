"""`stdout` with its descriptor led into a file, a closed pipe or a full one.

The descriptor is not 1, which pytest leads elsewhere between a fixture and its test.
"""

import array
import asyncio
import fcntl
import os
import termios
import threading
from pathlib import Path

from logship_debug.stdout import Stdout, StdoutConfig

from logship.testing import context
from tests.contract.harness import Able, Harness, Stored
from tests.contract.harnesses.json_lines import stored_lines

_WAIT_SECS = 10.0
_PIPE_BYTES = 4096


class StdoutHarness(Harness):
    able = frozenset({Able.STORE, Able.FAIL, Able.STALL})

    def __init__(self, tmp_path: Path) -> None:
        self._path = tmp_path / "stdout"
        self._context = context("stdout")
        self._pipe: int | None = None
        self._pump: threading.Thread | None = None

    async def __aenter__(self) -> "StdoutHarness":
        sink = Stdout(StdoutConfig(), self._context)
        sink.descriptor = self._fd = os.open(os.devnull, os.O_WRONLY)
        self._to_file()
        self.sink = sink
        await self.sink.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.sink.close()
        self._context.world.offload.close()
        os.close(self._fd)
        self._end_pump()

    async def stored(self) -> list[Stored]:
        self._to_file()  # the pipe's last writer is gone: the pump comes to its end
        self._end_pump()
        return stored_lines(self._path.read_bytes())

    def fail(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        _lead(self._fd, writer)

    def stall(self) -> None:
        self._pipe, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        _lead(self._fd, writer)

    async def stalled(self) -> None:
        assert self._pipe is not None
        async with asyncio.timeout(_WAIT_SECS):
            while not _waiting(self._pipe):  # no event tells when a pipe is full
                await asyncio.sleep(0.001)

    def heal(self) -> None:
        if self._pipe is None:
            self._to_file()
        elif self._pump is None:
            self._pump = threading.Thread(target=self._copy, args=(self._pipe,))
            self._pump.start()

    def _to_file(self) -> None:
        _lead(self._fd, os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))

    def _copy(self, pipe: int) -> None:
        with open(pipe, "rb", buffering=0) as source, self._path.open("ab") as target:
            while chunk := source.read(_PIPE_BYTES):
                target.write(chunk)

    def _end_pump(self) -> None:
        if self._pump is not None:
            self._pump.join(_WAIT_SECS)
            assert not self._pump.is_alive()
            self._pipe = self._pump = None


def _lead(fd: int, target: int) -> None:
    os.dup2(target, fd)
    os.close(target)


def _waiting(pipe: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]
