"""JSON objects in texts: which texts are one, and what lies at a dotted path.

A text is a JSON object if it begins with `{` (nothing before it, not even a space), orjson takes it
whole, and it is nested at most `MAX_DEPTH` deep: orjson reads 1024 levels but writes only 254, and
what was read must always be writable again. Everything else is text, and costs one comparison.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, cast

import orjson

from logship.api import JsonObject

MAX_DEPTH = 128
T = TypeVar("T")


class _Absent:
    pass


ABSENT = _Absent()


def parse(text: str) -> dict[str, object] | None:
    """The object that the text is, or None."""
    if text[:1] != "{":
        return None
    try:
        found: dict[str, object] = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    # As many brackets as levels, or more: only a text with many of them can be too deep.
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(found) > MAX_DEPTH:
        return None
    return found


def one_by_one(objects: Sequence[T]) -> Iterator[T]:
    """Each is gone before the next is made, if nobody keeps it: it can hold thirty times its text.

    A column that is parsed when somebody looks at it keeps its objects where one iterates over it.
    """
    return map(objects.__getitem__, range(len(objects)))


def _depth(value: object) -> int:
    """Level by level, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [inner for outer in level for inner in _containers(outer)]
    return depth


def _containers(value: object) -> list[object]:
    inside = value.values() if isinstance(value, dict) else value
    assert isinstance(inside, Iterable)
    return [inner for inner in inside if isinstance(inner, (dict, list))]


def lookup(fields: JsonObject, path: str) -> object:
    """The value at a dotted path, or ABSENT. A key that contains the dots itself comes first."""
    if path in fields:
        return fields[path]
    head, dot, rest = path.partition(".")
    inner = fields.get(head) if dot else None
    return lookup(cast(JsonObject, inner), rest) if isinstance(inner, dict) else ABSENT


def scalar_text(value: object) -> str | None:
    """A JSON scalar as JSON writes it (strings without quotes); None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return "null" if value is None else None
