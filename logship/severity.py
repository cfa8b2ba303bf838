"""What severity a row has, in Cloud Logging's words.

The table is the one of Google's own agents (fluent-plugin-google-cloud's `SEVERITY_TRANSLATIONS`),
so that a filter on severity finds the same rows whoever shipped them. A value that the table does
not know is not a severity: the next key is asked, then the glog prefix of a text, then the stream.
Pure functions.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

NAMES = (
    "DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY",
)  # fmt: skip
"""Their numbers at Google are 0, 100, 200 and so on."""

DEFAULT_KEYS = ("severity", "level", "levelname", "lvl")
MAX_KEYS = 8
"""Of an origin's own."""
OF_STREAM: Mapping[str, str] = {"stdout": "INFO", "stderr": "ERROR"}

_TRANSLATIONS = {name: name for name in NAMES} | {
    # log4j
    "WARN": "WARNING", "FATAL": "CRITICAL", "TRACE": "DEBUG", "TRACE_INT": "DEBUG",
    "FINE": "DEBUG", "FINER": "DEBUG", "FINEST": "DEBUG",
    # java.util.logging
    "SEVERE": "ERROR", "CONFIG": "DEBUG",
    # nginx, syslog
    "CRIT": "CRITICAL", "EMERG": "EMERGENCY", "ERR": "ERROR",
    # single letters
    "D": "DEBUG", "I": "INFO", "N": "NOTICE", "W": "WARNING", "E": "ERROR", "C": "CRITICAL",
    "A": "ALERT", "F": "CRITICAL",
}  # fmt: skip
_KNOWN = _TRANSLATIONS | {name.lower(): severity for name, severity in _TRANSLATIONS.items()}
_MAX_NAME_CHARS = 32

# Lmmdd hh:mm:ss.uuuuuu threadid file:line] msg (glog, klog)
_GLOG = re.compile(
    r"([DIWEF])(?:0[1-9]|1[0-2])[0-3]\d [0-2]\d:[0-5]\d:[0-5]\d\.\d{1,9}\s+\d+ [^ \]]+\]", re.ASCII
)


def translate(value: object) -> str | None:
    """The severity that a field's value means; None when it means none."""
    if isinstance(value, str):
        known = _KNOWN.get(value)
        return known if known is not None else _translate_text(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return NAMES[min(value // 100, 8)]
    return None


def _translate_text(value: str) -> str | None:
    if len(value) > _MAX_NAME_CHARS:
        return None
    text = value.strip().upper()
    if text.isdecimal() and text.isascii():
        return NAMES[min(int(text) // 100, 8)]
    return _KNOWN.get(text)


def of_fields(
    fields: Mapping[str, object], keys: Sequence[str] = DEFAULT_KEYS
) -> tuple[str, str] | None:
    """(severity, key it was found under) of a parsed row; None when no key has one.

    Under any key but `severity`, DEFAULT says nothing and the next key is asked: the `level: 30`
    of pino and bunyan is not one of Google's numbers.
    """
    for key in keys:
        if key in fields:
            severity = translate(fields[key])
            if severity is not None and (severity != "DEFAULT" or key == "severity"):
                return severity, key
    return None


@lru_cache(maxsize=64)
def keys_of(label: str) -> tuple[str, ...]:
    """The keys in the label `severity_keys` of an origin, which go before a sink's own; or none."""
    return tuple(filter(None, label.split(",", MAX_KEYS)[:MAX_KEYS]))


def of_glog(text: str) -> str | None:
    """The severity in the prefix of a line of glog or klog; None when it has no such prefix."""
    match = _GLOG.match(text)
    return _TRANSLATIONS[match[1]] if match else None


def of_row(
    text: str,
    stream: str,
    fields: Mapping[str, object] | None = None,
    keys: Sequence[str] = DEFAULT_KEYS,
) -> str:
    """The severity of a row: of its fields, else of its glog prefix, else of its stream."""
    if fields is not None:
        found = of_fields(fields, keys)
        return found[0] if found else OF_STREAM[stream]
    return of_glog(text) or OF_STREAM[stream]
