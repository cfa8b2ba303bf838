"""The rows that conditions take, by the compiled kernel: what each row's own evaluation says.

Rows differ in few values of the fields that conditions look at (and of those that tell a
severity), so conditions are evaluated once for each combination of values and for each stream.
Fields inside of others, and names that are not ASCII, are left to Python; so are single rows of
which the kernel is not certain, or whose text may say their severity.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import orjson

from logship.routes.when import Condition
from logship.rows import kernel
from logship.rows.objects import parse_object
from logship.rows.rows import JsonObject, Rows
from logship.severity import DEFAULT_KEYS, of_row

Takes = Callable[[str, str, Mapping[str, object] | None], bool]
"""(stream, severity, fields of the row's object, if it is one) -> whether the row is taken."""


def mask_of(rows: Rows, conditions: Sequence[Condition], takes: Takes) -> bytearray | None:
    """A byte for each row, not 0 for those taken; None: only the rows themselves can tell.

    `takes` knows of a row no more than `conditions` ask for.
    """
    table, names = rows.table, _names(conditions)
    if table is None or names is None or rows.fields is not None or rows.given_ids is not None:
        return None
    severity = any(condition.needs_severity for condition in conditions)
    if severity:
        names = (*names, *(key for key in DEFAULT_KEYS if key not in names))
    if len(names) > kernel.MAX_KEYS:
        return None

    def of(text: str, stream: str, fields: JsonObject | None) -> bool:
        return takes(stream, of_row(text, stream, fields) if severity else "", fields)

    found = kernel.members(table, names)
    objects = [{names[key]: orjson.loads(text) for key, text in one} for one in found.choices]
    mask = found.mask([(of("", "stdout", one), of("", "stderr", one)) for one in objects])
    alone = [*found.rest, *(table.survey()[1] if severity else ())]
    for row in alone:
        text = rows.texts[row]
        mask[row] = of(text, rows.streams[row], parse_object(text))
    return mask


def _names(conditions: Iterable[Condition]) -> tuple[str, ...] | None:
    """The members of objects that conditions look at."""
    names: dict[str, None] = {}
    for condition in conditions:
        inner: Condition | None = condition
        while inner is not None:
            names.update(dict.fromkeys(inner.json))
            inner = inner.not_
    if any(not name.isascii() or "." in name for name in names):
        return None
    return tuple(names)
