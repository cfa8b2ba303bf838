"""Some rows of many: those that a condition takes, or a transform leaves.

Where the columns show what the compiled kernel found they go on showing it, so that whatever comes
after them stays as fast; else each column is picked.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import compress, count

from logship.rows import kernel
from logship.rows.objects import Parsed
from logship.rows.rows import Rows


def keep(rows: Rows, mask: Sequence[object]) -> Rows:
    """The rows whose entry in `mask` is true."""
    table, fields = rows.table, rows.fields
    if table is None or rows.given_ids is not None or rows.elsewhere:
        return rows.keep(mask)
    column = table.pick(mask).column
    texts = column("texts")
    if isinstance(fields, Parsed) and fields.texts is rows.texts:
        fields = fields.over(texts, mask)
    elif fields is not None:
        fields = list(compress(fields, mask))
    new = dict(zip(compress(count(), mask), count(), strict=False)) if rows.marks else {}
    return replace(
        rows,
        offsets=column("offsets", kernel.base_of(rows.offsets)),
        times=column("times"),
        streams=column("streams"),
        texts=texts,
        fields=fields,
        marks={new[row]: mark for row, mark in rows.marks.items() if row in new},
    )
