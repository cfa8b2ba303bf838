"""Delivers as the engine does: whole writes again after Retry, named rows again, refused rows out.

On the way it holds every outcome against its own form: indices exist, reasons are given, and no row
is named twice.
"""

from collections.abc import Sequence

from logship.api import Batch, Outcome, Retry, Sink

_MAX_WRITES = 50


async def deliver(sink: Sink, batches: Sequence[Batch]) -> dict[str, str]:
    """Write until every row is durable or refused; the refused ids with their reasons."""
    refused: dict[str, str] = {}
    for _ in range(_MAX_WRITES):
        try:
            outcome = await sink.write(batches)
        except Retry:
            continue
        check(outcome, batches)
        refused |= {batches[r.batch].ids()[r.row]: r.reason for r in outcome.refused}
        batches = named_again(outcome, batches)
        if not batches:
            return refused
    raise AssertionError(f"not delivered after {_MAX_WRITES} writes: {outcome}")


async def fails(sink: Sink, batches: Sequence[Batch]) -> bool:
    """Whether the sink says of every row, in one way or the other, that it must come again."""
    try:
        outcome = await sink.write(batches)
    except Retry as retry:
        return bool(retry.reason)
    check(outcome, batches)
    again = named_again(outcome, batches)
    return sum(len(batch.rows) for batch in again) == sum(len(batch.rows) for batch in batches)


def check(outcome: Outcome, batches: Sequence[Batch]) -> None:
    """The outcome names only rows that exist, with a reason, and each at most once."""
    named = [(refusal.batch, refusal.row) for refusal in outcome.refused]
    for again in outcome.again:
        named += [(again.batch, row) for row in _rows(again.rows, batches[again.batch])]
    assert len(set(named)) == len(named), "a row is named twice"
    for batch, row in named:
        assert 0 <= batch < len(batches)
        assert 0 <= row < len(batches[batch].rows)
    assert all([r.reason for r in outcome.refused] + [a.reason for a in outcome.again])


def named_again(outcome: Outcome, batches: Sequence[Batch]) -> list[Batch]:
    """Batches of just the rows to send again."""
    rows: dict[int, set[int]] = {}
    for again in outcome.again:
        rows.setdefault(again.batch, set()).update(_rows(again.rows, batches[again.batch]))
    return [
        batches[number].keep([row in wanted for row in range(len(batches[number].rows))])
        for number, wanted in rows.items()
    ]


def _rows(rows: Sequence[int] | None, batch: Batch) -> Sequence[int]:
    return range(len(batch.rows)) if rows is None else rows
