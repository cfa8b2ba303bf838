"""What is in the text of a row: a JSON object, a line of glog, or just text. Pure functions."""

from collections.abc import Mapping, Sequence
from operator import itemgetter

import orjson

from logship.api import of_glog

MAX_DEPTH = 32
"""A payload is a protobuf Struct, three messages a level; parsers of protobuf stop at 100."""

_FIRST_CHAR = itemgetter(slice(0, 1))
_BRACKET = ord("[")
_HEAD = itemgetter(slice(0, 3))
_GLOG_LETTERS = frozenset("DIWEF")
_MESSAGE_KEYS = frozenset({"message", "log", "msg"})


def first_chars(texts: Sequence[str]) -> set[str]:
    """What the texts begin with: most batches need not be looked at any closer."""
    return set(map(_FIRST_CHAR, texts))


def written(payload: Mapping[str, object]) -> bytes | None:
    """The object as JSON; None when Cloud Logging could not take it."""
    try:
        text = orjson.dumps(payload)
    except TypeError:  # a transform may have put in something that JSON has no form for
        return None
    if _may_be_deep(text) and deeper_than(payload, MAX_DEPTH):
        return None
    return text


def _may_be_deep(text: bytes) -> bool:
    """Whether it has enough brackets. Most objects have few, and looking for two costs 0.2 us."""
    first, last = text.find(b"{", 1), text.rfind(b"{")
    if (first < 0 or first == last) and _BRACKET not in text:
        return False
    return text.count(b"{") + text.count(b"[") > MAX_DEPTH


def deeper_than(payload: object, levels: int) -> bool:
    """Whether objects and lists are nested by more than `levels`."""
    layer = [payload]
    for _ in range(levels + 1):
        layer = [item for item in layer if isinstance(item, (dict, list))]
        if not layer:
            return False
        layer = [inner for item in layer for inner in _inside(item)]
    return True


def _inside(item: object) -> Sequence[object]:
    if isinstance(item, dict):
        return list(item.values())
    return item if isinstance(item, list) else ()


def only_message(payload: Mapping[str, object]) -> str | None:
    """The text of a payload that has nothing but a message."""
    if len(payload) != 1:
        return None
    ((key, value),) = payload.items()
    return value if key in _MESSAGE_KEYS and isinstance(value, str) else None


def glog_severities(texts: Sequence[str], firsts: set[str]) -> dict[int, str]:
    """Severity by row, of lines that glog or klog wrote."""
    if firsts.isdisjoint(_GLOG_LETTERS):
        return {}
    heads = set(map(_HEAD, texts))
    if not any(head[:1] in _GLOG_LETTERS and head[1:].isdecimal() for head in heads):
        return {}
    return glog_severities_of(dict(enumerate(texts)))


def glog_severities_of(texts: Mapping[int, str]) -> dict[int, str]:
    """The same, of some rows."""
    found = ((row, of_glog(text)) for row, text in texts.items())
    return {row: severity for row, severity in found if severity}
