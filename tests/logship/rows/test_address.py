"""Addresses and ids: fixed width, ordered as rows were written, the same from many at once."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.rows.address import (
    ID_CHARS,
    Generation,
    Position,
    Span,
    id_prefix,
    id_tails,
    merged,
    origin_digest,
    row_id,
    time_ns,
    time_text,
)
from logship.rows.cut import Cutter
from logship.rows.index import Cutting

generations = st.builds(Generation, st.integers(0, 2**63 - 1), st.integers(0, 2**32 - 1))
offsets = st.integers(0, 2**48 - 1)


@given(generations, offsets, generations, offsets)
def test_ids_have_one_width_and_order_as_addresses_do(
    one: Generation, at: int, other: Generation, there: int
) -> None:
    origin = origin_digest("c/uid/app/0")
    ids = row_id(origin, one, at), row_id(origin, other, there)
    assert {len(id_) for id_ in ids} == {ID_CHARS}
    assert (ids[0] < ids[1]) == (Position(one, at) < Position(other, there))


@given(generations, st.lists(offsets, max_size=50))
def test_ids_of_many_rows_are_those_of_each(generation: Generation, many: list[int]) -> None:
    tails = id_tails(generation, many)
    prefix = id_prefix("0123456789ab", generation)
    assert [prefix + tail.decode() for tail in tails] == [
        row_id("0123456789ab", generation, offset) for offset in many
    ]


@given(generations)
def test_a_generation_is_read_back_from_its_text(generation: Generation) -> None:
    assert Generation.parse(generation.text()) == generation


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_times_are_read_back_from_their_text(ns: int) -> None:
    assert time_ns(time_text(ns)) == ns


@pytest.mark.parametrize(
    ("text", "nanos"),
    [
        ("2026-11-23T04:46:31Z", 0),
        ("2026-11-23T04:46:31.1Z", 100_000_000),
        ("2026-11-23T04:46:31.123456789Z", 123_456_789),
        ("2026-11-23T10:16:31.000000001+05:30", 1),
    ],
)
def test_runtimes_cut_zeros_and_write_zones(text: str, nanos: int) -> None:
    whole = datetime(2026, 11, 23, 4, 46, 31, tzinfo=UTC)
    assert time_ns(text) == int(whole.timestamp()) * 10**9 + nanos


@pytest.mark.parametrize("text", ["2026-11-23T04:46:31", "2026-02-30T00:00:00Z", "x", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        time_ns(text)


spans = st.builds(
    lambda generation, start, size: Span(generation, start, start + size),
    st.sampled_from([Generation(1, 1), Generation(2, 2)]), st.integers(0, 8), st.integers(0, 3),
)  # fmt: skip


@given(st.lists(spans, max_size=8))
def test_merged_spans_are_the_same_bytes_in_as_few_as_can_be(many: list[Span]) -> None:
    few = merged(many)
    assert _bytes_of(few) == _bytes_of(many)
    assert all(a.generation != b.generation or a.end != b.start for a, b in pairwise(few))


def _bytes_of(many: list[Span]) -> list[tuple[Generation, int]]:
    return [(span.generation, at) for span in many for at in range(span.start, span.end)]


def test_a_record_that_is_open_over_an_edge_leaves_blocks_of_one_piece() -> None:
    """Of several only Python can tell the rows, which costs ten times as much."""
    generation, head = Generation(1, 1), b"2026-11-23T04:46:31Z stdout "
    one, two = head + b"F a\n" + head + b"P b\n", head + b"F c\n" + head + b"F d\n"
    cutter = Cutter(Cutting(), rows_wanted=True)
    first, second = cutter.push(generation, 0, one), cutter.push(generation, len(one), two)
    assert first is not None
    assert second is not None
    assert len(first.pieces) == len(second.pieces) == 1
    assert second.rows is not None
    assert list(second.rows.texts) == ["bc", "d"]
