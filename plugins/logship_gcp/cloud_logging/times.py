"""Times of rows: those that an application wrote, and those that Cloud Logging would refuse.

Cloud Logging refuses a time that is not RFC 3339 or outside of the years 1 to 9999 (the whole
request fails, because it does not parse), and one more than a day in the future. An entry whose
time is older than its bucket keeps entries is taken, and not stored.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from logship.api import time_ns

PAIR = ("timestampSeconds", "timestampNanos")
DAY_NS = 86_400 * 1_000_000_000
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # 0001-01-01 to 9999-12-31
_EPOCH = datetime(1970, 1, 1)
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DECIMAL = re.compile(r"-?\d{1,18}", re.ASCII)


class Time(NamedTuple):
    text: str
    """RFC 3339."""
    keys: tuple[str, ...]
    """The fields that said it."""


class _Refusal(Enum):
    TOO_FAR = "too far"


TOO_FAR: Final = _Refusal.TOO_FAR
"""More than a day after the runtime's time, or too long before it."""


def special_time(
    fields: Mapping[str, object], runtime_time: str, oldest_secs: float
) -> Time | Literal[_Refusal.TOO_FAR] | None:
    """The time that a row's special fields say, in the order of Google's agent.

    `oldest_secs`: how long before the runtime's it may be; 0: any time.
    """
    found = _written_time(fields)
    if found is None:
        return None
    if is_late(found.text, runtime_time) or is_early(found.text, runtime_time, oldest_secs):
        return TOO_FAR
    return found


def _written_time(fields: Mapping[str, object]) -> Time | None:
    stamp = fields.get("timestamp")
    if isinstance(stamp, dict) and stamp.keys() == {"seconds", "nanos"}:
        text = _from_parts(stamp["seconds"], stamp["nanos"])
        if text is not None:
            return Time(text, ("timestamp",))
    if "timestampSeconds" in fields:
        text = _from_parts(*map(fields.get, PAIR))
        if text is not None:
            return Time(text, PAIR)
    if isinstance(value := fields.get("time"), str) and is_valid(value):
        return Time(value, ("time",))
    if isinstance(stamp, str) and is_valid(stamp):
        return Time(stamp, ("timestamp",))
    return None


def _from_parts(seconds: object, nanos: object) -> str | None:
    whole, fraction = _number(seconds), _number(nanos)
    if whole is None or fraction is None:
        return None
    if not _FIRST_SECOND <= whole <= _LAST_SECOND or not 0 <= fraction < 1_000_000_000:
        return None
    return f"{(_EPOCH + timedelta(seconds=whole)).isoformat()}.{fraction:09d}Z"


def _number(value: object) -> int | None:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def is_valid(text: str) -> bool:
    """Whether Cloud Logging can read this time."""
    match = _RFC3339.fullmatch(text)
    if match is None or not _is_date(match[1]):
        return False
    if text[-1] == "Z" or "0001-01-01" < match[1] < "9999-12-31":
        return True
    return _FIRST_SECOND <= time_ns(text) // 1_000_000_000 <= _LAST_SECOND


@lru_cache(maxsize=256)
def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_late(text: str, runtime_time: str) -> bool:
    """Whether `text` is more than a day after the other; both are valid."""
    if text[:10] <= runtime_time[:10] and text[-1] == runtime_time[-1] == "Z":
        return False
    return time_ns(text) > time_ns(runtime_time) + DAY_NS


def is_early(text: str, runtime_time: str, oldest_secs: float) -> bool:
    """Whether `text` is so long before the other (a day or more; 0: never); both are valid."""
    if not oldest_secs:
        return False
    if text[:10] >= runtime_time[:10] and text[-1] == runtime_time[-1] == "Z":
        return False
    return time_ns(text) < time_ns(runtime_time) - int(oldest_secs * 1e9)
