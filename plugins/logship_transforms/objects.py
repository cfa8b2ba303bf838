"""JSON objects in texts: which texts are one.

A text is a JSON object if it begins with `{` (nothing before it, not even a space), orjson takes it
whole, and it is nested at most `MAX_DEPTH` deep: orjson reads 1024 levels but writes only 254, and
what was read must always be writable again. Everything else is text, and costs one comparison.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import orjson

MAX_DEPTH = 128
T = TypeVar("T")


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
