"""Rows from what the compiled kernel found: nothing of it is malformed or cut."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from logship.rows.address import Mark, Span
from logship.rows.lines import cri_content
from logship.rows.records import Record
from logship.rows.rows import Rows

if TYPE_CHECKING:
    from logship.rows._kernel import Table


def rows_of(
    table: "Table",
    piece: Span,
    block: bytes,
    whole: Sequence[Record],
    left_out: Sequence[Record],
) -> Rows:
    """Rows: lines, with `whole` records in place of their parts, without `left_out`."""
    marks: dict[int, Mark] = {}
    if whole or left_out:
        starts = table.column("starts")
        gone = {part for record in whole for part in record.parts[:-1]}
        gone.update(part for record in left_out for part in record.parts)
        texts = [
            (record.parts[-1], record.parts[0], _contents(record.parts, block, starts))
            for record in whole
        ]
        ends = [record.parts[-1] for record in whole if record.unfinished]
        if ends:
            order = sorted(gone)
            marks = {end - bisect_right(order, end): Mark(unfinished=True) for end in ends}
        table = table.fold(texts, gone)
    column = table.column
    offsets, times = column("offsets", piece.start), column("times")
    return Rows(piece.generation, offsets, times, column("streams"), column("texts"), marks=marks)


def _contents(parts: Sequence[int], block: bytes, starts: Sequence[int]) -> bytes:
    return b"".join(cri_content(block[starts[part] : starts[part + 1]]) for part in parts)
