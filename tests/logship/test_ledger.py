"""A position moves only over a gap-free prefix, whatever the order of settling."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.rows.address import Generation, Position, Span
from logship.tail.ledger import Ledger


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 9)), max_size=30), st.randoms())
def test_committed_is_where_the_first_unsettled_byte_lies(
    takes: list[tuple[int, int]], order: random.Random
) -> None:
    ledger = Ledger(None)
    at = {1: 0, 2: 0}
    spans: list[Span] = []
    for generation, size in sorted(takes, key=lambda take: take[0]):
        start = at[generation]
        at[generation] += size
        spans.append(Span(Generation(generation, 0), start, start + size))
        ledger.taken(spans[-1])
    out = list(spans)
    while out:
        unsettled = [span for span in out if span.size]
        if unsettled:
            assert ledger.committed == Position(unsettled[0].generation, unsettled[0].start)
        span = order.choice(out)
        out.remove(span)
        ledger.settle([span])
    if spans:
        assert ledger.committed == Position(spans[-1].generation, spans[-1].end)
    assert ledger.unsettled_bytes == 0


def test_settling_twice_is_a_bug_that_is_seen() -> None:
    ledger = Ledger(None)
    span = Span(Generation(1, 0), 0, 10)
    ledger.taken(span)
    ledger.settle([span])
    with pytest.raises(ValueError, match="settled twice"):
        ledger.settle([span])
