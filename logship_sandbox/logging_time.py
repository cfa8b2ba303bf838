"""RFC 3339 timestamps as proto JSON has them, to and from nanoseconds since the epoch."""

import calendar
import re
from datetime import datetime
from functools import lru_cache

SECOND = 1_000_000_000
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)


@lru_cache(maxsize=4096)
def _epoch_secs(text: str) -> int:
    return calendar.timegm(datetime.fromisoformat(text).timetuple())


def parse_time(text: str) -> int:
    """Nanoseconds of an RFC 3339 timestamp, years 0001 to 9999; anything else is a ValueError."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"not an RFC 3339 timestamp: {text!r}")
    second, fraction, sign, hours, minutes = match.groups()
    nanos = _epoch_secs(second) * SECOND
    if fraction:
        nanos += int(fraction.ljust(9, "0"))
    if sign:
        if int(hours) > 23 or int(minutes) > 59:
            raise ValueError(f"not a UTC offset: {text!r}")
        offset_secs = int(hours) * 3600 + int(minutes) * 60
        nanos += offset_secs * SECOND if sign == "-" else -offset_secs * SECOND
    return nanos


@lru_cache(maxsize=4096)
def _second_text(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    day = datetime.fromordinal(days + 719_163)  # 719163: the ordinal of 1970-01-01
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{day.year:04}-{day.month:02}-{day.day:02}T{clock}"


def format_time(nanos: int) -> str:
    """As Google's services write it: in UTC, with 0, 3, 6 or 9 digits of a second."""
    seconds, fraction = divmod(nanos, SECOND)
    text = _second_text(seconds)
    if not fraction:
        return text + "Z"
    digits = f"{fraction:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z"
