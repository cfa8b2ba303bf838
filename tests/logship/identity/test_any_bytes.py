"""Any bytes in a log: rows end at newlines alone, and memory is bounded whatever comes."""

import tracemalloc
from pathlib import Path

import pytest

from logship.batch import Batch
from logship.rows.index import Cutting
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.identity.rotating import NAME, Agent

LIMIT = 64 * 1024
MEGABYTE = 1 << 20
ODD = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg"
FORMATS = ["plain", "cri", "docker"]


class Counting(Agent):
    """Keeps no rows, only how many bytes of text there were and how they were marked."""

    def __init__(self, directory: Path, cutting: Cutting) -> None:
        self.sizes: list[int] = []
        self.cut = self.whole = 0
        super().__init__(directory, virtual_world(), cutting)

    def seen(self, batch: Batch) -> None:
        rows = batch.rows
        self.sizes += map(len, rows.texts)
        self.cut += sum(rows.mark(n).cut for n in range(len(rows)))

    async def read_all(self, most: int = 10**9) -> None:
        taken = 0
        while taken < most and (batch := await self.feed.take(256 * 1024)) is not None:
            self.seen(batch)
            taken += batch.size()
            self.feed.settle(batch)
            self.look()


@pytest.mark.parametrize("format", FORMATS)
def test_a_line_of_100_mb_is_cut_into_marked_rows_in_bounded_memory(
    tmp_path: Path, format: str
) -> None:
    head = b"2026-11-23T04:46:31Z stdout F " if format == "cri" else b"head "
    live = tmp_path / NAME
    live.write_bytes(head)
    with live.open("r+b") as out:  # sparse: a line of NULs
        out.truncate(100 * MEGABYTE)
        out.seek(0, 2)
        out.write(b"\nafter\n")

    async def go() -> Counting:
        agent = Counting(tmp_path, Cutting(format, LIMIT))
        await agent.read_all()
        return agent

    tracemalloc.start()
    try:
        agent = run_virtual(go())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEGABYTE, peak
    pieces = 100 * MEGABYTE // LIMIT
    assert agent.cut in (pieces, pieces - 1)
    assert max(agent.sizes) <= LIMIT
    assert sum(agent.sizes) >= 100 * MEGABYTE - 1000
    assert agent.sizes[-1] == len("after")


def test_a_file_without_a_newline_that_grows_for_ever_costs_no_more_memory(tmp_path: Path) -> None:
    live = tmp_path / NAME
    live.write_bytes(b"x" * 2000)

    async def go() -> Counting:
        agent = Counting(tmp_path, Cutting("plain", LIMIT))
        for megabytes in range(1, 60):
            with live.open("r+b") as out:
                out.truncate(megabytes * MEGABYTE)
            agent.look()
            await agent.read_all()
            assert agent.feed.waiting() <= 2 * LIMIT
        return agent

    tracemalloc.start()
    try:
        agent = run_virtual(go())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * MEGABYTE, peak
    assert sum(agent.sizes) >= 59 * MEGABYTE - 2 * LIMIT
    assert set(agent.sizes) == {LIMIT}


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"a\0b\n\0\n", ["a\0b", "\0"]),
        (b"\xff\xfe\xc3\n\x80\n", ["\ufffd\ufffd\ufffd", "\ufffd"]),
        (b"one\r\ntwo\rthree\n", ["one\r", "two\rthree"]),
        (f"{ODD}\n".encode(), [ODD]),
        (b"\xef\xbb\xbffirst\nsecond\n", ["\ufefffirst", "second"]),
        ("\ud800\n".encode(errors="surrogatepass"), ["\ufffd\ufffd\ufffd"]),
        (b"\n\n", ["", ""]),
    ],
    ids=["nul", "no-utf-8", "cr", "unicode-line-ends", "bom", "surrogate", "empty"],
)
@pytest.mark.parametrize("format", FORMATS)
def test_rows_end_at_newlines_alone(
    tmp_path: Path, content: bytes, texts: list[str], format: str
) -> None:
    (tmp_path / NAME).write_bytes(content)

    async def go() -> None:
        agent = Agent(tmp_path, virtual_world(), Cutting(format, LIMIT))
        await agent.read(3)
        assert agent.texts == texts
        agent.restart()
        await agent.read(3)
        assert agent.texts == texts

    run_virtual(go())
