"""Block and pieces -> rows: finds the lines, joins what the runtime cut, addresses the result.

A block is the concatenation of its pieces, each a span of one generation in reading order. Parts of
a record are joined per stream; rows of the other stream pass an open record. `open_parts` names the
lines of records that have not ended: the cutter keeps them out of the block, so that a record that
is open at the end of a finished block is one that was closed by force, and is marked.

Where the cutting has `joins`, the rows then become multi-line records: see `joins`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from logship.rows import kernel
from logship.rows.address import Generation, Mark, Span, time_text
from logship.rows.from_table import rows_of
from logship.rows.joins import Joins, joined
from logship.rows.lines import FORMATS, FULL, Format, Lines, cri_content, has_line_of, lines_of
from logship.rows.records import Record, join
from logship.rows.rows import Rows

_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Cutting:
    """How rows of an origin are made of bytes: a function of the source's options alone."""

    format: str = "cri"
    """A key of `lines.FORMATS`."""
    max_row_bytes: int = 256 * 1024
    joins: Joins | None = None
    """Which rows are joined to multi-line records; None: rows are as the runtime wrote them."""


def index(block: bytes, pieces: Sequence[Span], cutting: Cutting) -> Rows:
    """The rows of a finished block; records still open at its end are closed and marked."""
    at = pieces[0].start if len(pieces) == 1 else 0
    lines = physical_lines(block, cutting, at)
    records, opened = join(lines, cutting.max_row_bytes)
    for record in opened:
        record.unfinished = True
    rows = build(block, pieces, cutting, lines, [*records, *opened])
    if cutting.joins is None:
        return rows
    return joined(rows, cutting.joins, cutting.max_row_bytes).rows


def finished(block: bytes, piece: Span, cutting: Cutting, *, wanted: bool) -> Rows | None:
    """The rows, if it is seen at once that no record is open at the end.

    `wanted`: somebody will ask for them, so that the pure kernel may find them now. (What the
    compiled one finds costs no more than to learn whether a record is open.)
    """
    if cutting.format != "cri" or cutting.joins is not None:
        return None
    table, limit = kernel.scan(block), cutting.max_row_bytes
    if table is None:
        return _finished_pure(block, piece, cutting) if wanted else None
    if table.longest_line >= limit:
        return None
    if not table.parts:  # as nearly always: every line is a row
        return rows_of(table, piece, block, (), ())
    if table.ends_open():
        return None
    lines = lines_of(table, piece.start)
    return build(block, (piece,), cutting, lines, join(lines, limit)[0])


def _finished_pure(block: bytes, piece: Span, cutting: Cutting) -> Rows | None:
    if has_line_of(cutting.max_row_bytes, block):
        return None
    lines = physical_lines(block, cutting, piece.start)
    whole, opened = join(lines, cutting.max_row_bytes)
    return None if opened else build(block, (piece,), cutting, lines, whole)


def physical_lines(block: bytes, cutting: Cutting, at: int = 0) -> Lines:
    """Lines of the block; one longer than `max_row_bytes` counts as several of that length."""
    limit = cutting.max_row_bytes
    find = FORMATS[cutting.format]
    lines = find(block, at)
    if lines.table is not None and lines.table.longest_line < limit:
        return lines
    if has_line_of(limit + 1, block):
        lines = _fragments(block, limit, find, at)
    if not block or block.endswith(b"\n"):
        return lines
    return lines._replace(tags=[*lines.tags[:-1], FULL])  # nothing can follow on that line


def _fragments(block: bytes, limit: int, find: Format, at: int) -> Lines:
    """A line is cut at multiples of the limit from its own start, wherever the block began."""
    starts = [0]
    for line in block.split(b"\n"):
        ends = [*range(limit, len(line), limit), len(line) + 1]
        starts.extend(map(starts[-1].__add__, ends))
    starts = [start for start in starts if start < len(block)] + [len(block)]
    each = [find(block[start:end], 0) for start, end in pairwise(starts)]
    return Lines(
        [at + start for start in starts],
        [lines.times[0] for lines in each],
        [lines.streams[0] for lines in each],
        [
            lines.tags[0] if block[end - 1] == _NEWLINE else FULL
            for lines, end in zip(each, starts[1:], strict=True)
        ],
        [lines.texts[0] for lines in each],
        frozenset(number for number, lines in enumerate(each) if lines.malformed),
    )


def build(
    block: bytes,
    pieces: Sequence[Span],
    cutting: Cutting,
    lines: Lines,
    whole: Sequence[Record],
    left_out: Sequence[Record] = (),
) -> Rows:
    """Columns of rows: lines, with `whole` records in place of their parts, without `left_out`."""
    if lines.table is not None and len(pieces) == 1:
        return rows_of(lines.table, pieces[0], block, whole, left_out)
    generation, offsets, elsewhere = addresses(lines.starts, pieces)
    columns = (offsets, lines.times, lines.streams, lines.texts)
    marks = _marks(lines, block, cutting)
    if whole or left_out:
        texts, times, offsets = list(lines.texts), list(lines.times), list(offsets)
        for record in whole:
            _fold(record, block, cutting, lines, texts, times, offsets, elsewhere, marks)
        gone = {part for record in whole for part in record.parts[:-1]}
        gone.update(part for record in left_out for part in record.parts)
        columns = (offsets, times, lines.streams, texts)
        everything = Rows(generation, *columns, marks=marks, elsewhere=elsewhere)
        rows = everything.without(gone)
    else:
        rows = Rows(generation, *columns, marks=marks, elsewhere=elsewhere)
    return _time_malformed(rows)


def _marks(lines: Lines, block: bytes, cutting: Cutting) -> dict[int, Mark]:
    marks = {line: Mark(malformed=True) for line in lines.malformed}
    starts, limit = lines.starts, cutting.max_row_bytes
    if has_line_of(limit, block):
        for line, (start, end) in enumerate(pairwise(starts)):
            if end - start == limit and block[end - starts[0] - 1] != _NEWLINE:
                marks[line] = Mark(cut=True, malformed=line in lines.malformed)
    last = len(lines.texts) - 1
    if block[-1:] not in (b"\n", b"") and last not in marks:
        marks[last] = Mark(unfinished=True)
    return marks


def _fold(
    record: Record,
    block: bytes,
    cutting: Cutting,
    lines: Lines,
    texts: list[str],
    times: list[str],
    offsets: list[int],
    elsewhere: dict[int, Generation],
    marks: dict[int, Mark],
) -> None:
    """Put the record where its last part is, with the address and time of its first."""
    first, last = record.parts[0], record.parts[-1]
    texts[last] = _joined_text(record.parts, block, cutting, lines)
    times[last] = lines.times[first]
    offsets[last] = offsets[first]
    began = elsewhere.pop(first, None)
    elsewhere.pop(last, None)
    if began is not None:
        elsewhere[last] = began
    if record.unfinished:
        marks[last] = Mark(unfinished=True)


def _joined_text(parts: Sequence[int], block: bytes, cutting: Cutting, lines: Lines) -> str:
    text = "".join(lines.texts[part] for part in parts)
    if cutting.format != "cri" or "\ufffd" not in text:
        return text
    # A cut at 16,384 bytes may fall into a character: join bytes, then decode.
    starts = lines.starts
    return b"".join(
        cri_content(block[starts[part] - starts[0] : starts[part + 1] - starts[0]])
        for part in parts
    ).decode(errors="replace")


def _size(piece: Span) -> int:
    return piece.size


def addresses(
    starts: Sequence[int], pieces: Sequence[Span]
) -> tuple[Generation, Sequence[int], dict[int, Generation]]:
    """(generation of most rows, offset per line, lines of another generation)."""
    if len(pieces) == 1:
        base = pieces[0].start - starts[0]  # 0 where the lines were numbered from the start
        offsets = starts[:-1]
        return pieces[0].generation, list(map(base.__add__, offsets)) if base else offsets, {}
    generation = max(pieces, key=_size).generation
    bounds = list(accumulate(map(_size, pieces), initial=0))
    found: list[int] = []
    elsewhere: dict[int, Generation] = {}
    for line, start in enumerate(starts[:-1]):
        number = min(bisect_right(bounds, start) - 1, len(pieces) - 1)
        piece = pieces[number]
        found.append(piece.start + start - bounds[number])
        if piece.generation != generation:
            elsewhere[line] = piece.generation
    return generation, found, elsewhere


def _time_malformed(rows: Rows) -> Rows:
    """A line that is not of the format gets its generation's time: known wherever one cuts."""
    bad = [row for row, mark in rows.marks.items() if mark.malformed]
    if not bad:
        return rows
    times = list(rows.times)
    for row in bad:
        times[row] = time_text(rows.generation_of(row).time_ns)
    return Rows(
        rows.generation, rows.offsets, times, rows.streams, rows.texts, None, rows.marks,
        rows.elsewhere,
    )  # fmt: skip
