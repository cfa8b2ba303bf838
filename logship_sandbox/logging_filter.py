"""The part of Cloud Logging's query language that tests and the demo need.

Supported: comparisons `FIELD OP VALUE` joined by AND (or just a space, or a new line), and
log_id("stdout"). Anything else is refused with a message that says so; nothing is ever ignored,
because a filter that is half understood gives a wrong count.

As in the real language: text compares without regard to case, `:` finds a substring, `FIELD:*`
asks whether the field is set, severities compare by rank and timestamps by time, and a comparison
(also !=) with a field that is not set is false.
"""

import re
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import quote

from logship_sandbox.logging_json import SEVERITIES
from logship_sandbox.logging_schema import LogEntry
from logship_sandbox.logging_time import parse_time

Condition = Callable[[LogEntry], bool]

SUPPORTED = (
    "the sandbox's filters are comparisons (=, !=, <, <=, >, >=, :) of logName, resource.type, "
    'resource.labels.KEY, labels."KEY", severity, insertId, timestamp, receiveTimestamp, trace, '
    'spanId, textPayload, jsonPayload.KEY, httpRequest.KEY, and log_id("ID"), joined by AND'
)
_ROOTS = frozenset(
    (
        "logName",
        "resource",
        "labels",
        "severity",
        "insertId",
        "timestamp",
        "receiveTimestamp",
        "trace",
        "spanId",
        "textPayload",
        "jsonPayload",
        "httpRequest",
        "sourceLocation",
        "operation",
    )
)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_NAME = rf"[A-Za-z_][\w/-]*(?:\.(?:[\w/-]+|{_QUOTED}))*"
_COMPARISON = re.compile(
    rf"(?P<path>{_NAME})\s*(?P<op><=|>=|!=|=(?!~)|<|>|:)\s*(?P<value>{_QUOTED}|[^\s()\"=<>!~]+)"
    rf"|log_id\(\s*(?P<log_id>{_QUOTED})\s*\)"
)
_AND = re.compile(r"AND\s")
_Ordered = TypeVar("_Ordered", float, str)


def _holds(left: _Ordered, op: str, right: _Ordered) -> bool:
    if op in ("<", "<="):
        return left < right or (op == "<=" and left == right)
    if op in (">", ">="):
        return left > right or (op == ">=" and left == right)
    return (left == right) is (op == "=")


def parse_filter(text: str) -> Condition:
    """The condition of a filter; ValueError names what is not supported."""
    conditions: list[Condition] = []
    rest = text.strip()
    while rest:
        match = _COMPARISON.match(rest)
        if match is None or match["path"] in ("AND", "OR", "NOT"):
            raise ValueError(f"Unparseable filter at {rest[:60]!r}: {SUPPORTED}")
        conditions.append(_condition(match))
        following = rest[match.end() :]
        rest = following.lstrip()
        if rest and rest == following:
            raise ValueError(f"Unparseable filter at {rest[:60]!r}: {SUPPORTED}")
        joined = _AND.match(rest)
        if joined:
            rest = rest[joined.end() :].lstrip()
            if not rest:
                raise ValueError("Unparseable filter: nothing follows the last AND")
    return lambda entry: all(condition(entry) for condition in conditions)


def _condition(match: re.Match[str]) -> Condition:
    if match["log_id"]:
        suffix = "/logs/" + quote(_unquoted(match["log_id"]), safe="")
        return lambda entry: entry["logName"].endswith(suffix)
    path = [_unquoted(part) for part in re.findall(rf"{_QUOTED}|[^.]+", match["path"])]
    if path[0] not in _ROOTS:
        raise ValueError(f"Unknown field {match['path']!r} in the filter: {SUPPORTED}")
    op, value = match["op"], _unquoted(match["value"])
    if path == ["severity"]:
        return _of_severity(op, value)
    if path in (["timestamp"], ["receiveTimestamp"]):
        return _of_time(path, op, value)
    if op == ":":
        return _of_substring(path, None if match["value"] == "*" else value.casefold())
    return _of_value(path, op, value)


def _of_severity(op: str, value: str) -> Condition:
    rank = SEVERITIES.get(value.upper(), int(value) if value.isdecimal() else None)
    if rank is None or op == ":":
        raise ValueError(f"severity {op} {value!r}: use one of {', '.join(SEVERITIES)}")

    def condition(entry: LogEntry) -> bool:
        severity = entry.get("severity", 0)
        return _holds(SEVERITIES[severity] if isinstance(severity, str) else severity, op, rank)

    return condition


def _of_time(path: list[str], op: str, value: str) -> Condition:
    if op == ":":
        raise ValueError(f"{path[0]} cannot be searched with ':', compare it")
    time = parse_time(value)
    return lambda entry: any(_holds(parse_time(str(v)), op, time) for v in _values(entry, path))


def _of_substring(path: list[str], part: str | None) -> Condition:
    if part is None:
        return lambda entry: any(True for _ in _values(entry, path))
    return lambda entry: any(part in _text(v).casefold() for v in _values(entry, path))


def _of_value(path: list[str], op: str, value: str) -> Condition:
    text = value.casefold()
    try:
        number: float | None = float(value)
    except ValueError:
        number = None

    def condition(entry: LogEntry) -> bool:
        for found in _values(entry, path):
            if isinstance(found, (int, float)) and not isinstance(found, bool):
                return number is not None and _holds(found, op, number)
            return _holds(_text(found).casefold(), op, text)
        return False

    return condition


def _values(entry: LogEntry, path: list[str]) -> Iterable[object]:
    """The value at `path`, or nothing."""
    value: object = entry
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return ()
        value = value[part]
    return (value,)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
