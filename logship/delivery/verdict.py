"""What an outcome means for each batch of a write. Plain functions of values."""

from collections.abc import Sequence
from dataclasses import dataclass

from logship.batch import Batch
from logship.outcome import Outcome, Refused


@dataclass(slots=True)
class Verdict:
    """Of one batch: its rows are delivered, refused, or left to be sent again."""

    delivered: int
    left: Batch | None = None
    refused: Sequence[Refused] = ()


def verdicts(batches: Sequence[Batch], outcome: Outcome) -> list[Verdict]:
    """One for each batch. Every row that the outcome does not name is delivered."""
    found = [Verdict(batch.row_count()) for batch in batches]
    if not outcome.refused and not outcome.again:
        return found
    refused_of: dict[int, dict[int, Refused]] = {}
    for refused in outcome.refused:
        if not 0 <= refused.row < len(batches[refused.batch].rows):
            raise IndexError(f"the sink refused a row that is not there: {refused}")
        refused_of.setdefault(refused.batch, {})[refused.row] = refused
    for number, those in refused_of.items():
        found[number].refused = list(those.values())
    again = _rows_again(outcome)
    for number, verdict in enumerate(found):
        gone = {refused.row for refused in verdict.refused}
        if number in again:
            verdict.left = _left(batches[number], again[number], gone)
        left = 0 if verdict.left is None else verdict.left.row_count()
        verdict.delivered -= len(gone) + left
    return found


def _rows_again(outcome: Outcome) -> dict[int, set[int] | None]:
    """Per batch named the rows to send again; None: all."""
    rows: dict[int, set[int] | None] = {}
    for again in outcome.again:
        before = rows.setdefault(again.batch, set())
        rows[again.batch] = None if before is None or again.rows is None else before | {*again.rows}
    return rows


def _left(batch: Batch, rows: set[int] | None, gone: set[int]) -> Batch | None:
    if rows is None and not gone:
        return batch
    count = len(batch.rows)
    mask = [(rows is None or row in rows) and row not in gone for row in range(count)]
    return batch.keep(mask) if any(mask) else None


def longest_wait(outcome: Outcome) -> float | None:
    """The longest time the destination named."""
    return max((again.after for again in outcome.again if again.after is not None), default=None)


def throttled(outcome: Outcome) -> bool:
    """Whether the destination asks for less."""
    return any(again.throttled for again in outcome.again)
