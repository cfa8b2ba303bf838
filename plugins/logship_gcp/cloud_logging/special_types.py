"""Which JSON values fit the parts of an entry's objects, and in which form they go there.

Each reader gives the value as proto JSON takes it, or None when it does not fit. As in Google's
agent, numbers may be written as text. (google/logging/type/http_request.proto, log_entry.proto)
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

Part: TypeAlias = Callable[[object], object | None]

_DECIMAL = re.compile(r"-?\d{1,19}", re.ASCII)
_LATENCY = re.compile(r"\s*(\d{1,9})(?:\.(\d*))?\s*s\s*", re.ASCII)


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def flag(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value) if isinstance(value, str) else None


def _whole(value: object, bits: int) -> int | None:
    number = int(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return number if -(1 << bits - 1) <= number < 1 << bits - 1 else None


def int32(value: object) -> int | None:
    return _whole(value, 32)


def int64(value: object) -> str | None:
    """As text: proto JSON writes 64 bits so, because a double does not hold them."""
    number = _whole(value, 64)
    return None if number is None else str(number)


def latency(value: object) -> str | None:
    """`1.5s`, `1.5 s` or {seconds, nanos}, as a Duration."""
    if isinstance(value, dict):
        return _duration(value)
    match = _LATENCY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    return f"{int(match[1])}.{(match[2] or '')[:9]:0<9}s"


def _duration(value: Mapping[str, object]) -> str | None:
    if not value or not value.keys() <= {"seconds", "nanos"}:
        return None
    seconds, nanos = _whole(value.get("seconds", 0), 32), _whole(value.get("nanos", 0), 32)
    if seconds is None or nanos is None or seconds < 0 or not 0 <= nanos < 1_000_000_000:
        return None
    return f"{seconds}.{nanos:09d}s"


def label_text(value: object) -> str | None:
    """A label's value: a text, or what JSON writes for a number or a boolean."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, (int, float)) else None


HTTP_REQUEST: Mapping[str, Part] = {
    "requestMethod": text,
    "requestUrl": text,
    "requestSize": int64,
    "status": int32,
    "responseSize": int64,
    "userAgent": text,
    "remoteIp": text,
    "serverIp": text,
    "referer": text,
    "latency": latency,
    "cacheLookup": flag,
    "cacheHit": flag,
    "cacheValidatedWithOriginServer": flag,
    "cacheFillBytes": int64,
    "protocol": text,
}
OPERATION: Mapping[str, Part] = {"id": text, "producer": text, "first": flag, "last": flag}
SOURCE_LOCATION: Mapping[str, Part] = {"file": text, "line": int64, "function": text}
