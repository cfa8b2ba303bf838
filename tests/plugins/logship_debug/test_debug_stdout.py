"""stdout: really on descriptor 1, and alive when nobody reads."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import orjson
import pytest
from logship_debug.stdout import Stdout, StdoutConfig

from logship.api import DELIVERED, Retry
from logship.testing import context, texts_batch

_ROOT = Path(__file__).parents[3]
_PRINT = """
import asyncio
from logship_debug.stdout import Stdout, StdoutConfig
from logship.testing import context, texts_batch

async def main():
    sink = Stdout(StdoutConfig(), context())
    await sink.start()
    await sink.write([texts_batch(["a", "x" * 200_000])])
    await sink.close()

asyncio.run(main())
"""


def test_rows_reach_the_standard_output_of_a_process() -> None:
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "plugins")])
    done = subprocess.run(
        [sys.executable, "-c", _PRINT],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        timeout=30,
        check=True,
    )
    lines = [orjson.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["a", "x" * 200_000]


def test_a_reader_that_goes_away_in_the_middle_is_a_retry_and_the_next_line_is_whole(
    tmp_path: Path,
) -> None:
    reader, writer = os.pipe()

    def read_a_little() -> None:
        os.read(reader, 10)
        os.close(reader)

    async def scenario() -> None:
        sink = Stdout(StdoutConfig(), context())
        sink.descriptor = writer
        gone = threading.Thread(target=read_a_little)
        gone.start()
        with pytest.raises(Retry, match="Broken pipe"):
            await sink.write([texts_batch(["x" * 1_000_000])])
        gone.join(10)
        sink.descriptor = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
        assert await sink.write([texts_batch(["next"])]) == DELIVERED
        await sink.close()
        os.close(sink.descriptor)
        os.close(writer)
        sink.context.world.offload.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))
    ended, line = (tmp_path / "out").read_bytes().splitlines()
    assert ended == b""
    assert orjson.loads(line)["text"] == "next"


def test_a_full_pipe_that_does_not_wait_is_a_retry() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    async def scenario() -> None:
        sink = Stdout(StdoutConfig(), context())
        sink.descriptor = writer
        with pytest.raises(Retry, match="its pipe is full"):
            await sink.write([texts_batch(["x" * 1_000_000])])
        await sink.close()
        sink.context.world.offload.close()

    asyncio.run(asyncio.wait_for(scenario(), 20))
    os.close(reader)
    os.close(writer)
