"""Sizes, durations and starting points, as people write them.

An option's name tells its unit: `*_bytes` and `*_bytes_per_sec` hold a size, `*_secs` a duration,
`start_from` a starting point. In memory they are plain numbers; in a file they may carry units.
Every `parse_*` is the inverse of its `format_*`, and raises ValueError with a reason a person can
act on.

    size      NUMBER [B | kB MB GB TB (1000) | KiB MiB GiB TiB, or Ki Mi Gi Ti (1024)]
              fractions of a byte are cut off; upper and lower case are the same
    duration  NUMBER (seconds), or NUMBER with d, h, m, s, ms, from large to small: 1h30m
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, TypeAlias

Bytes: TypeAlias = int
"""A size; the option's name ends in `_bytes`, and its value may be written with a unit."""

Secs: TypeAlias = float
"""A duration; the option's name ends in `_secs`, and its value may be written with units."""

StartFrom: TypeAlias = float | Literal["now", "beginning"]
"""Where reading starts: `now`, `beginning`, or seconds before now. For options `start_from`."""

_SIZE_UNITS: dict[str, int] = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024), ("i", 1024))
}
_SIZE = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?\s*([a-z]*)", re.ASCII | re.IGNORECASE)

_SECS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_NUMBER = r"(\d{1,18}(?:\.\d{1,40})?)"
_PLAIN = re.compile(_NUMBER, re.ASCII)
_DURATION = re.compile("".join(rf"(?:{_NUMBER}{u})?" for u in ("d", "h", "m", "s", "ms")), re.ASCII)


def parse_size(text: str) -> int:
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError("expected a size such as 512, 64KiB, 10MB or 1.5GiB")
    whole, fraction, unit = found[1], found[2] or "", found[3].lower()
    if unit in ("k", "m", "g", "t"):
        big = unit.upper()
        raise ValueError(f"the unit is ambiguous: write {big}iB (by 1024) or {big}B (by 1000)")
    if unit not in _SIZE_UNITS:
        raise ValueError("the unit must be one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB")
    tenths = int("1" + "0" * len(fraction))
    return int(whole + fraction) * _SIZE_UNITS[unit] // tenths


def format_size(size: int) -> str:
    for unit in ("TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"):
        scale = _SIZE_UNITS[unit.lower()]
        if size and size % scale == 0:
            return f"{size // scale}{unit}"
    return f"{size}B"


def parse_duration(text: str) -> float:
    """Seconds."""
    written = text.strip()
    if _PLAIN.fullmatch(written):
        return float(written)
    found = _DURATION.fullmatch(written)
    if found is None or not written:
        raise ValueError(
            "expected a duration such as 30 (seconds), 500ms, 10m or 1h30m: "
            "numbers with d, h, m, s or ms, from large to small"
        )
    *parts, millis = found.groups()
    secs = sum(float(p) * scale for p, scale in zip(parts, _SECS.values(), strict=True) if p)
    return secs + float(millis) / 1000 if millis else secs


def format_duration(secs: float) -> str:
    if secs < 1 and secs * 1000 == int(secs * 1000) > 0:
        return f"{int(secs * 1000)}ms"
    if secs != int(secs) or not secs or secs >= 10**15:
        return f"{Decimal(repr(secs)):f}s" if secs else "0s"
    left, parts = int(secs), []
    for unit, scale in _SECS.items():
        count, left = divmod(left, int(scale))
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def parse_start_from(text: str) -> float | str:
    written = text.strip()
    if written in ("now", "beginning"):
        return written
    try:
        return parse_duration(written)
    except ValueError:
        raise ValueError("expected `now`, `beginning` or a duration such as 10m") from None


_SIZES = ("_bytes", "_bytes_per_sec")


def parser_for(option: str) -> Callable[[str], float | str] | None:
    """How the value of the option of this name is read, where its name says a unit."""
    if option == "start_from":
        return parse_start_from
    if option.endswith(_SIZES):
        return parse_size
    if option.endswith("_secs"):
        return parse_duration
    return None


def format_for(option: str, value: object) -> str | None:
    """A number as the option of this name shows it; None where the name says no unit."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    if option.endswith(_SIZES):
        return format_size(int(value))
    if option.endswith("_secs") or option == "start_from":
        return format_duration(value)
    return None
