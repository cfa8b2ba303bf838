"""A block says how its rows are joined, so that the loader finds those of the agent."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.block_format import HEADER_AT, decode, encode, read_header

from logship.api import Batch, Cutting, Generation, Joins, Labels, Origin, Span

TRACES = Path(__file__).parents[3] / "logship" / "rows" / "traces"
LINES = "".join(path.read_text() for path in sorted(TRACES.glob("*.txt"))).splitlines()
LANGUAGES = ("java", "python", "go", "nodejs", "ruby", "php", "dotnet", "rust")
GENERATION = Generation(1_795_410_721_500_000_000, 7)


def batch_of(lines: list[str], joins: Joins | None) -> Batch:
    block = "".join(f"2026-11-23T05:12:01.5Z stdout F {line}\n" for line in lines).encode()
    pieces = (Span(GENERATION, 100, 100 + len(block)),)
    cutting = Cutting("cri", 1 << 18, joins)
    return Batch(Origin("c/uid/app/0", Labels({})), Labels({}), pieces, block, cutting)


def repacked(body: bytes, joins: Any) -> bytes:
    """The body with another value of `joins` in its header; `...`: without the key."""
    _, start = read_header(body)
    fields = msgspec.msgpack.decode(body[HEADER_AT:start]) | {"joins": joins}
    if joins is ...:
        del fields["joins"]
    header = msgspec.msgpack.encode(fields)
    return body[:5] + len(header).to_bytes(4) + header + body[start:]


@given(
    st.lists(st.integers(0, len(LINES) - 9), max_size=5),
    st.sampled_from([Joins(LANGUAGES), Joins(("java", "go"), max_rows=3), Joins(first_line=r"\S")]),
)
def test_the_reader_finds_the_rows_of_the_agent(starts: list[int], joins: Joins) -> None:
    batch = batch_of([line for at in starts for line in LINES[at : at + 9]], joins)
    again = decode(encode(batch))
    assert again.cutting == batch.cutting
    assert again.ids() == batch.ids()
    assert list(again.rows.texts) == list(batch.rows.texts)
    assert again.rows.marks == batch.rows.marks


def test_a_block_without_joins_is_what_it_was_before_there_were_any() -> None:
    body = encode(batch_of(["a", "\tat a.B.c(B.java:1)"], None))
    fields = msgspec.msgpack.decode(body[HEADER_AT : read_header(body)[1]])
    assert "joins" not in fields
    assert fields["cutting"] == ["cri", 1 << 18]
    assert len(decode(body).rows) == 2


def test_how_long_the_agent_waited_does_not_travel() -> None:
    batch = batch_of(["a"], Joins(("java",), wait_secs=9.0))
    assert decode(encode(batch)).cutting.joins == Joins(("java",))


@pytest.mark.parametrize(
    "joins",
    [
        {"languages": ["cobol"], "first_line": "", "max_rows": 5},
        {"languages": ["java"], "first_line": "x", "max_rows": 5},
        {"languages": [], "first_line": "", "max_rows": 5},
        {"languages": [], "first_line": "(a)\\1", "max_rows": 5},
        {"languages": [], "first_line": "(", "max_rows": 5},
        {"languages": [], "first_line": "x" * 1025, "max_rows": 5},
        {"languages": ["java"], "first_line": "", "max_rows": 0},
        {"languages": ["java"], "first_line": "", "max_rows": 5, "more": 1},
        {"languages": ["java"] * 65, "first_line": "", "max_rows": 5},
        ["java"],
    ],
)
def test_joins_that_no_agent_can_have_written_are_refused(joins: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(repacked(encode(batch_of(["a"], Joins(("java",)))), joins))


def test_a_reader_that_skips_the_key_finds_every_line_as_a_row() -> None:
    body = encode(batch_of(["java.io.IOException: x", "\tat a.B.c(B.java:1)"], Joins(("java",))))
    assert len(decode(body).rows) == 1
    assert len(decode(repacked(body, ...)).rows) == 2
