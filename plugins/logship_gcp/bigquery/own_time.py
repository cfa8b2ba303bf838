"""The time an application wrote into its row, in the forms that applications use."""

from collections.abc import Iterable

from logship.api import is_time, time_text

_NUMBER_UNITS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000), (10**8, 1_000_000_000))
"""(least value, nanoseconds of its unit): a time that is a number tells its unit by its size."""


def of_parts(seconds: object, nanos: object) -> str | None:
    """{"seconds": 1, "nanos": 2} as Google's agents write a time; the numbers may be texts."""
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) <= 12:
        seconds = int(seconds)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not 0 <= nanos < 10**9:
        return None
    return _text_of(seconds * 10**9 + nanos)


def of_number(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    for least, unit in _NUMBER_UNITS:
        if value >= least:
            return _text_of(int(value * unit))
    return None


def _text_of(ns: int) -> str | None:
    try:
        return time_text(ns)
    except (ValueError, OverflowError, OSError):
        return None


def known_times(texts: Iterable[str | None]) -> list[str | None]:
    """The texts that are times; None in place of the others."""
    return [text if text is not None and is_time(text) else None for text in texts]
