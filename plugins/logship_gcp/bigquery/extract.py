"""Which columns of the table a row's text fills: severity, message, payload, event time, trace.

A text that is a JSON object is looked at, not parsed: only the keys that have columns of their own
are decoded (a quarter of the cost of building the object), the rest is checked and stays text. No
I/O and nothing of Google's or Arrow's libraries, so that the agent can write the same columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from logship.api import is_time, time_text
from logship.severity import DEFAULT_KEYS, OF_STREAM, of_glog, translate

MESSAGE_KEYS = ("message", "msg", "log")
TIME_KEYS = ("time", "timestamp", "ts", "@timestamp")
TRACE_KEYS = ("logging.googleapis.com/trace", "trace_id", "traceId", "trace")
SPAN_KEYS = ("logging.googleapis.com/spanId", "span_id", "spanId")
_SECONDS, _NANOS = "timestampSeconds", "timestampNanos"
_GLOG_LETTERS = frozenset("DIWEF")
_NUMBER_UNITS = ((10**17, 1), (10**14, 1_000), (10**11, 1_000_000), (10**8, 1_000_000_000))
"""(least value, nanoseconds of its unit): a time that is a number tells its unit by its size."""


class _Peek(Protocol):
    """The values of the wanted keys, None where a key is absent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Keys:
    severity: tuple[str, ...] = DEFAULT_KEYS
    message: tuple[str, ...] = MESSAGE_KEYS
    time: tuple[str, ...] = TIME_KEYS
    trace: tuple[str, ...] = TRACE_KEYS
    span: tuple[str, ...] = SPAN_KEYS


@dataclass(frozen=True, slots=True)
class Extracted:
    """Columns, one entry a row."""

    severities: list[str]
    messages: list[str | None]
    payloads: list[str | None]
    """The texts that are JSON objects."""
    event_times: list[str | None]
    """RFC 3339; a text here may still be no time (see `known_times`)."""
    traces: list[str | None]
    span_ids: list[str | None]


class Extractor:
    def __init__(self, keys: Keys | None = None) -> None:
        wanted = keys or Keys()
        groups = (wanted.severity, wanted.message, wanted.time, wanted.trace, wanted.span)
        names = list(dict.fromkeys([key for group in groups for key in group] + [_SECONDS, _NANOS]))
        attributes = [f"key_{number}" for number in range(len(names))]
        peek = msgspec.defstruct(
            "Peek",
            [(attribute, object, None) for attribute in attributes],
            rename=dict(zip(attributes, names, strict=True)),
            gc=False,
        )
        self._decode = msgspec.json.Decoder(peek).decode
        of = dict(zip(names, attributes, strict=True))
        self._severity = [(of[key], key == "severity") for key in wanted.severity]
        self._message = [of[key] for key in wanted.message]
        self._time = [of[key] for key in wanted.time]
        self._trace = [of[key] for key in wanted.trace]
        self._span = [of[key] for key in wanted.span]
        self._seconds, self._nanos = of[_SECONDS], of[_NANOS]

    def columns(self, texts: Sequence[str], streams: Sequence[str]) -> Extracted:
        """One entry a row."""
        found = Extracted([], [], [], [], [], [])
        for text, stream in zip(texts, streams, strict=True):
            if text[:1] == "{":
                try:
                    self._object(self._decode(text), text, stream, found)
                    continue
                except (msgspec.MsgspecError, RecursionError, UnicodeError):
                    pass  # looks like JSON and is none: a text
            glog = of_glog(text) if text[:1] in _GLOG_LETTERS else None
            found.severities.append(glog or OF_STREAM[stream])
            found.messages.append(text)
            found.payloads.append(None)
            found.event_times.append(None)
            found.traces.append(None)
            found.span_ids.append(None)
        return found

    def _object(self, peek: _Peek, text: str, stream: str, found: Extracted) -> None:
        found.severities.append(self._severity_of(peek) or OF_STREAM[stream])
        found.messages.append(_first_text(peek, self._message))
        found.payloads.append(text)
        found.event_times.append(self._time_of(peek))
        found.traces.append(_first_text(peek, self._trace))
        found.span_ids.append(_first_text(peek, self._span))

    def _severity_of(self, peek: _Peek) -> str | None:
        for attribute, official in self._severity:
            value = getattr(peek, attribute)
            if value is None:
                continue
            severity = translate(value)
            # Under any other key 0 to 99 is not one of Google's numbers (pino's `level: 30`).
            if severity is not None and (official or severity != "DEFAULT"):
                return severity
        return None

    def _time_of(self, peek: _Peek) -> str | None:
        for attribute in self._time:
            value = getattr(peek, attribute)
            if value is None:
                continue
            if isinstance(value, str):
                return value
            if isinstance(value, dict):
                return _of_parts(value.get("seconds"), value.get("nanos", 0))
            return _of_number(value)
        seconds = getattr(peek, self._seconds)
        if seconds is None:
            return None
        return _of_parts(seconds, getattr(peek, self._nanos) or 0)


def _first_text(peek: _Peek, attributes: Iterable[str]) -> str | None:
    for attribute in attributes:
        value = getattr(peek, attribute)
        if isinstance(value, str):
            return value
    return None


def _of_parts(seconds: object, nanos: object) -> str | None:
    """{"seconds": 1, "nanos": 2} as Google's agents write a time; the numbers may be texts."""
    if isinstance(seconds, str) and seconds.isdecimal() and len(seconds) <= 12:
        seconds = int(seconds)
    if not isinstance(seconds, int) or not isinstance(nanos, int) or not 0 <= nanos < 10**9:
        return None
    return _text_of(seconds * 10**9 + nanos)


def _of_number(value: object) -> str | None:
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
