"""Bytes of an origin whose rows were dropped, until a summary says so and they can be settled.

A dropped row is settled like any other: when what stands in its place is durable. That may be a
minute, or as long as the destination refuses, so what is kept must be small: no rows, only spans,
and those that touch are one. What is left is as many spans as there are batches between them that
still wait to be delivered. A broker's batches are settled one by one, each by its own handle.
"""

from collections.abc import Iterator
from dataclasses import replace

from logship.batch import Batch
from logship.rows.address import Generation, Span
from logship.tail.feed import DiskFeed

_LINE_BYTES = 1024
"""Of the last line, from which a feed takes the time of the last settled row."""
_End = tuple[Generation, int]


def bare(batch: Batch) -> Batch:
    """The batch as its feed settles or releases it: without rows, and without what they held."""
    found = batch.spans_only()
    return replace(found, block=found.block[:_LINE_BYTES])


class Stretches:
    def __init__(self) -> None:
        self._by_start: dict[_End, tuple[Span, Batch]] = {}
        self._by_end: dict[_End, _End] = {}
        """Where the stretch begins that ends there."""
        self._whole: list[Batch] = []

    def __len__(self) -> int:
        return len(self._by_start) + len(self._whole)

    def add(self, batch: Batch) -> None:
        """A `bare` batch."""
        if not isinstance(batch.feed_key, DiskFeed):
            self._whole.append(batch)
            return
        for span in batch.pieces:
            if span.size:
                self._join(span, batch)

    def _join(self, span: Span, batch: Batch) -> None:
        generation, start, end = span
        if (before := self._by_end.pop((generation, start), None)) is not None:
            start = self._by_start.pop(before)[0].start
        if (after := self._by_start.pop((generation, end), None)) is not None:
            (_, _, end), batch = after  # its last line is the last of both
        self._by_start[generation, start] = Span(generation, start, end), batch
        self._by_end[generation, end] = generation, start

    def batches(self) -> Iterator[Batch]:
        """What is to be settled, one for each stretch."""
        yield from self._whole
        for span, batch in self._by_start.values():
            yield replace(batch, pieces=(span,))
