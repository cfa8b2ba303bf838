"""Batches that a feed took and was given back: the same spans, read again in the same order.

What is gone by then is lost, once: a span counts as lost as a whole when its file was let go or it
cannot be read to its end, and the other spans of its batch are delivered without it.
"""

from collections.abc import Callable, Sequence

from logship.rows.address import Generation, Span
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration, Reader
from logship.tail.unzip import DamagedFile
from logship.world import World

OnGone = Callable[[Sequence[Span]], None]
"""These spans will never be read again."""


class Released:
    def __init__(self, follower: Follower, world: World, on_gone: OnGone) -> None:
        self._follower, self._world, self._on_gone = follower, world, on_gone
        self._batches: list[tuple[Span, ...]] = []
        self._reader: tuple[LogGeneration, int, Reader] | None = None
        """Of the last file, and its descriptor: the next span usually follows in the same `.gz`."""

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(span.size for pieces in self._batches for span in pieces)

    def spans(self) -> list[Span]:
        return [span for pieces in self._batches for span in pieces]

    def add(self, pieces: tuple[Span, ...]) -> None:
        gone = [span for span in pieces if not self._is_there(span)]
        if gone:
            self._follower.look_again()  # a truncated file goes on in its copy
            gone = [span for span in gone if not self._is_there(span)]
        if gone:
            self._on_gone(gone)
        if len(gone) < len(pieces):
            self._batches.append(tuple(span for span in pieces if span not in gone))

    def drop(self, generation: Generation) -> list[Span]:
        """Spans of a file that is let go; they are forgotten."""
        gone = [s for pieces in self._batches for s in pieces if s.generation == generation]
        if gone:
            kept = (tuple(s for s in p if s.generation != generation) for p in self._batches)
            self._batches = [pieces for pieces in kept if pieces]
        return gone

    async def next(self) -> tuple[bytes, tuple[Span, ...]] | None:
        """The first batch, as far as it is there; None: nothing of it. Raises OSError."""
        pieces = self._batches.pop(0)
        try:
            parts = [await self._read(span) for span in pieces]
            if any(len(part) < span.size for span, part in zip(pieces, parts, strict=True)):
                self._follower.look_again()  # a truncated file goes on in its copy
                parts = [await self._read(span) for span in pieces]
        except BaseException:
            self._batches.insert(0, pieces)
            raise
        found = list(zip(pieces, parts, strict=True))
        gone = [span for span, part in found if len(part) < span.size]
        if gone:
            self._on_gone(gone)
        there = tuple(span for span in pieces if span not in gone)
        if not there:
            return None
        return b"".join(part for span, part in found if span in there), there

    def _is_there(self, span: Span) -> bool:
        log = self._follower.find(span.generation)
        if log is None or log.let_go:
            return False
        return log.compressed or span.end <= log.size

    async def _read(self, span: Span) -> bytes:
        log = self._follower.find(span.generation)
        if log is None or not self._is_there(span):
            return b""
        reader, found = self._reader_of(log), b""
        while len(found) < span.size:
            try:
                chunk = await reader.read(span.size - len(found), span.start + len(found))
            except DamagedFile:
                break
            if not chunk:
                break
            found += chunk
        return found

    def _reader_of(self, log: LogGeneration) -> Reader:
        if self._reader is None or self._reader[:2] != (log, log.fd):
            self._reader = log, log.fd, log.reader(self._world)
        return self._reader[2]
