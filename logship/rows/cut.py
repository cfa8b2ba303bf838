"""How far a stream of bytes can be cut now, and what stays open.

A `Cutter` gets the bytes of an origin in reading order and gives finished blocks. It keeps an
unfinished line and the parts of open records (at most `max_row_bytes` for each stream); rows of the
other stream pass an open record, so the pieces of a block are a list of spans. **Cut invariance:
rows, ids and times are a function of the bytes, never of how they were read**; a record closed by
`flush` is the one exception, and is marked.

No I/O and no clock here. Whoever reads decides when an open record has waited long enough.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from logship.rows.address import Generation, Position, Span
from logship.rows.index import Cutting, Record, build, join, physical_lines
from logship.rows.lines import TIME, dates_exist
from logship.rows.rows import Rows


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished block: the bytes of its pieces, one after the other."""

    block: bytes
    pieces: tuple[Span, ...]
    rows: Rows | None = None
    """Where cutting had to find them anyway; otherwise `index` of block and pieces."""


@dataclass(slots=True)
class Cutter:
    cutting: Cutting
    _tail: bytes = b""
    _tail_at: Position | None = None
    _open: list[tuple[Span, bytes]] = field(default_factory=list)

    def push(
        self, generation: Generation, offset: int, chunk: bytes, *, end: bool = False
    ) -> Cut | None:
        """The finished block that these bytes complete, if any. `end`: the generation ends here."""
        start = offset - len(self._tail)
        buffered = self._tail + chunk if self._tail else chunk
        size = len(buffered) if end else self._whole(buffered)
        self._tail = buffered[size:]
        self._tail_at = Position(generation, start + size) if self._tail else None
        if size == 0:
            return None
        body = buffered[:size] if self._tail else buffered
        span = Span(generation, start, start + size)
        if not self._open and not self._may_end_open(body):
            return Cut(body, (span,))
        return self._carve([*self._open, (span, body)])

    def flush(self) -> Cut | None:
        """Close open records: by timeout, exit or removal. Their rows are marked unfinished.

        An unfinished line stays: it ends with a newline or with its generation (`end` of `push`).
        """
        pieces, self._open = self._open, []
        if not pieces:
            return None
        return Cut(b"".join(part for _, part in pieces), tuple(span for span, _ in pieces))

    @property
    def open_bytes(self) -> int:
        return len(self._tail) + sum(len(part) for _, part in self._open)

    @property
    def record_bytes(self) -> int:
        return sum(len(part) for _, part in self._open)

    @property
    def has_open_record(self) -> bool:
        return bool(self._open)

    def _whole(self, buffered: bytes) -> int:
        """How many bytes are whole lines, or parts of one that is longer than a row may be."""
        size = buffered.rfind(b"\n") + 1
        rest = len(buffered) - size
        if rest <= self.cutting.max_row_bytes:
            return size
        return size + (rest - 1) // self.cutting.max_row_bytes * self.cutting.max_row_bytes

    def _may_end_open(self, body: bytes) -> bool:
        """Cheap and never wrongly False: whether some record may go on after these lines."""
        if self.cutting.format == "plain":
            return False
        if self.cutting.format != "cri" or len(body) > self.cutting.max_row_bytes:
            return True
        return _ends_open(body, b"stdout") or _ends_open(body, b"stderr")

    def _carve(self, parts: Sequence[tuple[Span, bytes]]) -> Cut | None:
        block = b"".join(part for _, part in parts)
        pieces = [span for span, _ in parts]
        lines = physical_lines(block, self.cutting)
        joined, opened = join(lines, self.cutting)
        rows = build(block, pieces, self.cutting, lines, joined, opened)
        out = _ranges(opened, lines.starts)
        self._open = _slice(block, pieces, out)
        kept = _slice(block, pieces, _complement(out, len(block)))
        if not kept:
            return None
        return Cut(b"".join(part for _, part in kept), tuple(span for span, _ in kept), rows)


_FULL_LINE = {
    stream: re.compile(rf"\n({TIME}) {stream.decode()} F[: ]".encode(), re.ASCII)
    for stream in (b"stdout", b"stderr")
}


def _ends_open(body: bytes, stream: bytes) -> bool:
    partial = body.rfind(b" " + stream + b" P")
    if partial < 0:
        return False
    closing = _FULL_LINE[stream].search(body, partial)
    return closing is None or not dates_exist((closing[1].decode(),))


def _ranges(records: Sequence[Record], starts: Sequence[int]) -> list[tuple[int, int]]:
    """The bytes of the records' lines, ascending, neighbours merged."""
    merged: list[tuple[int, int]] = []
    for line in sorted(part for record in records for part in record.parts):
        start, end = starts[line], starts[line + 1]
        if merged and merged[-1][1] == start:
            start = merged.pop()[0]
        merged.append((start, end))
    return merged


def _complement(ranges: Sequence[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    edges = [0, *(edge for pair in ranges for edge in pair), size]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]


def _slice(
    block: bytes, pieces: Sequence[Span], ranges: Sequence[tuple[int, int]]
) -> list[tuple[Span, bytes]]:
    """The parts of a block in `ranges`, each with where it comes from."""
    found = []
    at = 0
    for generation, start, end in pieces:
        size = end - start
        for low, high in ranges:
            a, b = max(low, at), min(high, at + size)
            if a < b:
                span = Span(generation, start + a - at, start + b - at)
                found.append((span, block[a:b]))
        at += size
    return found
