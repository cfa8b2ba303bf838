"""How far a stream of bytes can be cut now, and what stays open.

A `Cutter` gets the bytes of an origin in reading order and gives finished blocks. It keeps an
unfinished line and the parts of open records (at most `max_row_bytes` for each stream, twice that
where rows are joined); rows of the other stream pass an open record, so the pieces of a block are a
list of spans. **Cut invariance: rows, ids and times are a function of the bytes, never of how they
were read**; a record closed by `flush` is the one exception, and what is torn by it is marked.

No I/O and no clock here. Whoever reads decides when an open record has waited long enough.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from logship.rows.address import Generation, Position, Span, merged
from logship.rows.count import lines_as_rows
from logship.rows.index import Cutting, addresses, build, finished, physical_lines
from logship.rows.joins import Joined, joined
from logship.rows.last_lines import may_go_on, plain_may_go_on
from logship.rows.lines import STDERR, STDOUT, Lines, has_line_of
from logship.rows.records import Record, join
from logship.rows.rows import Rows

_STREAMS = (STDOUT, STDERR)
_NOWHERE = Position(Generation(0, 0), 0)


class OpenRecord(NamedTuple):
    """What is kept of a stream because it may go on."""

    at: Position
    size: int
    partial: bool
    """The runtime will write more of its last line."""


class Straddle(NamedTuple):
    """A record with bytes between its parts that are not its own: reading must not begin there."""

    start: Position
    last_part: Position


@dataclass(frozen=True, slots=True)
class Cut:
    """A finished block: the bytes of its pieces, one after the other."""

    block: bytes
    pieces: tuple[Span, ...]
    rows: Rows | None = None
    """Where cutting had to find them anyway; otherwise `index` of block and pieces."""
    count: int | None = None
    """How many rows there are, where their columns are not at hand and it is known all the same."""
    straddles: tuple[Straddle, ...] = ()


@dataclass(slots=True)
class Cutter:
    cutting: Cutting
    rows_wanted: bool = False
    """Whether whoever gets the blocks asks for their rows."""
    opened: dict[str, OpenRecord] = field(default_factory=dict)
    """By stream."""
    _tail: bytes = b""
    _tail_at: Position = _NOWHERE
    _open: list[tuple[Span, bytes]] = field(default_factory=list)

    def push(
        self, generation: Generation, offset: int, chunk: bytes, *, end: bool = False
    ) -> Cut | None:
        """The finished block that these bytes complete, if any. `end`: the generation ends here."""
        start = offset - len(self._tail)
        last = chunk.rfind(b"\n") + 1
        if last == 0 or end or len(chunk) - last > self.cutting.max_row_bytes:
            body = self._long(chunk, end)
        elif last == len(chunk) and not self._tail:  # nearly always, where little is written
            body = chunk
        else:  # and where much is: one copy
            body = b"".join((self._tail, memoryview(chunk)[:last]))
            self._tail = chunk[last:]
        size = len(body)
        self._tail_at = Position(generation, start + size)
        if size == 0:
            return None
        span = Span(generation, start, start + size)
        if self._open:
            return self._carve([*self._open, (span, body)])
        if (rows := finished(body, span, self.cutting, wanted=self.rows_wanted)) is not None:
            return Cut(body, (span,), rows)
        if (count := lines_as_rows(body, self.cutting)) is not None or not self._may_end_open(body):
            return Cut(body, (span,), None, count)
        return self._carve([(span, body)])

    def flush(self, streams: Collection[str] = _STREAMS) -> Cut | None:
        """Close the open records of these streams: by timeout, exit or removal.

        Runtime records without their end are marked unfinished. An unfinished line stays: it ends
        with a newline or with its generation (`end` of `push`).
        """
        return self._carve(self._open, closing=streams) if self._open else None

    @property
    def open_bytes(self) -> int:
        return len(self._tail) + sum([len(part) for _, part in self._open])

    def open_spans(self) -> list[Span]:
        """Where the bytes lie that it keeps: parts of records, then the unfinished line."""
        tail = self.unended()
        return [span for span, _ in self._open] + ([tail] if tail else [])

    def unended(self) -> Span | None:
        """Where the unfinished line lies, if there is one."""
        (generation, start), size = self._tail_at, len(self._tail)
        return Span(generation, start, start + size) if size else None

    def _long(self, chunk: bytes, end: bool) -> bytes:
        """What is whole of it: lines, and parts of one that is longer than a row may be."""
        buffered = self._tail + chunk
        size = len(buffered) if end else self._whole(buffered)
        self._tail = buffered[size:]
        return buffered[:size]

    def _whole(self, buffered: bytes) -> int:
        """How many bytes are whole lines, or parts of one that is longer than a row may be."""
        size, limit = buffered.rfind(b"\n") + 1, self.cutting.max_row_bytes
        return size + max(0, len(buffered) - size - 1) // limit * limit

    def _may_end_open(self, body: bytes) -> bool:
        """Cheap and never wrongly False: whether some record may go on after these lines."""
        format, limit, joins = self.cutting.format, self.cutting.max_row_bytes, self.cutting.joins
        if format == "plain" and joins is None:
            return False
        if format == "docker" or has_line_of(limit, body):
            return True
        joiner = joins.joiner(limit) if joins else None
        if format == "plain":
            return joiner is not None and plain_may_go_on(body, joiner)
        return any(may_go_on(body, stream.encode(), joiner) for stream in _STREAMS)

    def _carve(
        self, parts: Sequence[tuple[Span, bytes]], closing: Collection[str] = ()
    ) -> Cut | None:
        block, pieces = b"".join([part for _, part in parts]), merged(span for span, _ in parts)
        lines = physical_lines(block, self.cutting)
        whole, opened = join(lines, self.cutting.max_row_bytes)
        for record in [r for r in opened if lines.streams[r.parts[0]] in closing]:
            record.unfinished = True
            opened.remove(record)
            whole.append(record)
        rows = build(block, pieces, self.cutting, lines, whole, opened)
        found = Joined(rows, [], [])
        if self.cutting.joins is not None:
            limit = self.cutting.max_row_bytes
            found = joined(rows, self.cutting.joins, limit, closing=closing)
        members = _members(len(rows), whole, opened) if found.groups or found.opened else []
        kept_open = [record.parts for record in opened] + [members[row] for row in found.opened]
        out = _ranges([line for part in kept_open for line in part], lines.starts)
        self._open = _slice(block, pieces, out)
        self._note_open(block, pieces, lines, kept_open, opened)
        kept = _slice(block, pieces, _complement(out, len(block)))
        if not kept:
            return None
        records = [record.parts for record in whole]
        records += [[line for row in group for line in members[row]] for group in found.groups]
        return Cut(
            b"".join(part for _, part in kept),
            tuple(span for span, _ in kept),
            found.rows,
            straddles=_straddles(records, lines.starts, pieces),
        )

    def _note_open(
        self,
        block: bytes,
        pieces: Sequence[Span],
        lines: Lines,
        kept_open: Sequence[Sequence[int]],
        partial: Sequence[Record],
    ) -> None:
        of_stream: dict[str, list[int]] = {}
        for parts in kept_open:
            of_stream.setdefault(lines.streams[parts[0]], []).extend(parts)
        partials = {lines.streams[record.parts[0]] for record in partial}
        self.opened = {}
        for stream, parts in of_stream.items():
            spans = [span for span, _ in _slice(block, pieces, _ranges(parts, lines.starts))]
            at = Position(spans[0].generation, spans[0].start)
            size = sum(span.size for span in spans)
            self.opened[stream] = OpenRecord(at, size, stream in partials)


def _members(rows: int, whole: Sequence[Record], left_out: Sequence[Record]) -> list[list[int]]:
    """Per row its lines."""
    gone = {part for record in whole for part in record.parts[:-1]}
    gone.update(part for record in left_out for part in record.parts)
    several = {record.parts[-1]: record.parts for record in whole}
    stay = [line for line in range(rows + len(gone)) if line not in gone]
    return [several.get(line, [line]) for line in stay]


def _straddles(
    records: Sequence[Sequence[int]], starts: Sequence[int], pieces: Sequence[Span]
) -> tuple[Straddle, ...]:
    several = [parts for parts in records if len(parts) > 1]
    if not several:
        return ()
    generation, offsets, elsewhere = addresses(starts, pieces)
    found = []
    for parts in several:
        first, last = parts[0], parts[-1]
        start = Position(elsewhere.get(first, generation), offsets[first])
        end = Position(elsewhere.get(last, generation), offsets[last])
        between = sum(starts[part + 1] - starts[part] for part in parts[:-1])
        if start.generation != end.generation or end.offset - start.offset != between:
            found.append(Straddle(start, end))
    return tuple(found)


def _ranges(parts: Sequence[int], starts: Sequence[int]) -> list[tuple[int, int]]:
    """The bytes of these lines, ascending, neighbours merged."""
    merged: list[tuple[int, int]] = []
    for line in sorted(parts):
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
