"""Which columns of the table a row's text fills: severity, message, payload, event time, trace.

A text that is a JSON object is looked at, not parsed: only the keys that have columns of their own
are decoded (a quarter of the cost of building the object), the rest is checked and stays text. The
rows of a batch are decoded in one call where all of them are objects, and looked at column by
column, because rows of one origin look alike. No I/O and nothing of Google's or Arrow's libraries,
so that the agent can write the same columns.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from operator import attrgetter
from types import NoneType
from typing import Any

import msgspec

from logship.api import DEFAULT_KEYS, OF_STREAM, Batch, keys_of, of_glog, translate
from logship_gcp.bigquery.own_time import of_number, of_parts

MESSAGE_KEYS = ("message", "msg", "log")
TIME_KEYS = ("time", "timestamp", "ts", "@timestamp")
TRACE_KEYS = ("logging.googleapis.com/trace", "trace_id", "traceId", "trace")
SPAN_KEYS = ("logging.googleapis.com/spanId", "span_id", "spanId")
SECONDS, _NANOS = "timestampSeconds", "timestampNanos"
MAX_EXTRACTORS = 64
_GLOG_LETTERS = frozenset("DIWEF")
_TROUBLE = (msgspec.MsgspecError, RecursionError, UnicodeError)

_Peek = msgspec.Struct
"""The values of the wanted keys, None where a key is absent."""
_Get = Callable[[_Peek], object]


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
    """RFC 3339; a text here may still be no time (see `own_time.known_times`)."""
    traces: list[str | None]
    span_ids: list[str | None]


class Extractor:
    def __init__(self, keys: Keys | None = None) -> None:
        wanted = keys or Keys()
        self.keys = wanted
        groups = (wanted.severity, wanted.message, wanted.time, wanted.trace, wanted.span)
        names = list(dict.fromkeys([key for group in groups for key in group] + [SECONDS, _NANOS]))
        attributes = [f"key_{number}" for number in range(len(names))]
        peek = msgspec.defstruct(
            "Peek",
            [(attribute, object, None) for attribute in attributes],
            rename=dict(zip(attributes, names, strict=True)),
            gc=False,
        )
        self._decode: Callable[[str], _Peek] = msgspec.json.Decoder(peek).decode
        everything = list[peek | str]  # type: ignore[valid-type]
        self._decode_all: Callable[[str], list[Any]] = msgspec.json.Decoder(everything).decode
        get: dict[str, _Get] = dict(zip(names, map(attrgetter, attributes), strict=True))
        self._severity = [(get[key], key == "severity") for key in wanted.severity]
        self._message = [get[key] for key in wanted.message]
        self._time = [get[key] for key in wanted.time]
        self._trace = [get[key] for key in wanted.trace]
        self._span = [get[key] for key in wanted.span]
        self._seconds, self._nanos = get[SECONDS], get[_NANOS]

    def columns(self, texts: Sequence[str], streams: Sequence[str]) -> Extracted:
        """One entry a row."""
        rows, peeks = self._peeks(texts)
        if len(rows) == len(texts):
            return self._objects(peeks, texts, streams)
        found = _plain(texts, streams)
        if rows:
            objects = self._objects(peeks, [texts[r] for r in rows], [streams[r] for r in rows])
            _scatter(objects, rows, found)
        return found

    def _peeks(self, texts: Sequence[str]) -> tuple[Sequence[int], list[_Peek]]:
        """(which texts are JSON objects, what is wanted of them)."""
        rows = [row for row, text in enumerate(texts) if text[:1] == "{"]
        together = self._together(texts if len(rows) == len(texts) else [texts[r] for r in rows])
        if together is not None:
            return rows, together
        objects, peeks = [], []
        for row in rows:
            try:
                peeks.append(self._decode(texts[row]))
            except _TROUBLE:
                continue  # looks like JSON and is none: a text
            objects.append(row)
        return objects, peeks

    def _together(self, texts: Sequence[str]) -> list[_Peek] | None:
        """All texts in one call; None when one of them is no object by itself.

        A text could swallow or lend bytes to its neighbours, were it not for a word between them
        that nobody can know beforehand.
        """
        if not texts:
            return []
        word = secrets.token_hex(8)
        try:
            found = self._decode_all("[" + f',"{word}",'.join(texts) + "]")
        except _TROUBLE:
            return None
        if len(found) != 2 * len(texts) - 1 or found[1::2] != [word] * (len(texts) - 1):
            return None
        return found[::2]

    def _objects(
        self, peeks: list[_Peek], texts: Sequence[str], streams: Sequence[str]
    ) -> Extracted:
        return Extracted(
            self._severities(peeks, streams),
            _texts_of(peeks, self._message),
            list(texts),
            self._times(peeks),
            _texts_of(peeks, self._trace),
            _texts_of(peeks, self._span),
        )

    def _severities(self, peeks: list[_Peek], streams: Sequence[str]) -> list[str]:
        for get, official in self._severity:
            values = list(map(get, peeks))
            kinds = set(map(type, values))
            if kinds == {NoneType}:
                continue
            if kinds == {str}:
                known = {value: _severity(value, official) for value in set(values)}
                found = list(map(known.__getitem__, values))
                if None not in found:
                    return found  # type: ignore[return-value]
            break
        return [
            self._severity_of(peek) or OF_STREAM[stream]
            for peek, stream in zip(peeks, streams, strict=True)
        ]

    def _severity_of(self, peek: _Peek) -> str | None:
        for get, official in self._severity:
            severity = _severity(get(peek), official)
            if severity is not None:
                return severity
        return None

    def _times(self, peeks: list[_Peek]) -> list[str | None]:
        for get in self._time:
            values = list(map(get, peeks))
            kinds = set(map(type, values))
            if kinds == {str}:
                return values  # type: ignore[return-value]
            if kinds != {NoneType}:
                break
        return list(map(self._time_of, peeks))

    def _time_of(self, peek: _Peek) -> str | None:
        for get in self._time:
            value = get(peek)
            if value is None:
                continue
            if isinstance(value, str):
                return value
            if isinstance(value, dict):
                return of_parts(value.get("seconds"), value.get("nanos", 0))
            return of_number(value)
        seconds = self._seconds(peek)
        return None if seconds is None else of_parts(seconds, self._nanos(peek) or 0)


class Extractors:
    """An extractor for each choice of severity keys that origins ask for in place of ours."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._own = Extractor(keys)
        self._others: dict[tuple[str, ...], Extractor] = {}

    def of(self, batch: Batch) -> Extractor:
        keys = keys_of(batch.labels.get("severity_keys"))
        if not keys:
            return self._own
        if (found := self._others.get(keys)) is None:
            if len(self._others) >= MAX_EXTRACTORS:
                self._others.clear()
            found = self._others[keys] = Extractor(replace(self._own.keys, severity=keys))
        return found


def _plain(texts: Sequence[str], streams: Sequence[str]) -> Extracted:
    severities = [OF_STREAM[stream] for stream in streams]
    for row, text in enumerate(texts):
        if text[:1] in _GLOG_LETTERS and (severity := of_glog(text)) is not None:
            severities[row] = severity
    absent: list[str | None] = list(repeat(None, len(texts)))
    return Extracted(severities, list(texts), absent, absent.copy(), absent.copy(), absent.copy())


def _scatter(objects: Extracted, rows: Sequence[int], found: Extracted) -> None:
    for name in Extracted.__slots__:
        column = getattr(found, name)
        for row, value in zip(rows, getattr(objects, name), strict=True):
            column[row] = value


def _texts_of(peeks: list[_Peek], getters: Sequence[_Get]) -> list[str | None]:
    """Per row the first of the keys that has a text."""
    for number, get in enumerate(getters):
        values = list(map(get, peeks))
        kinds = set(map(type, values))
        if kinds == {str}:
            return values  # type: ignore[return-value]
        if kinds != {NoneType}:
            return [_first_text(peek, getters[number:]) for peek in peeks]
    return list(repeat(None, len(peeks)))


def _first_text(peek: _Peek, getters: Iterable[_Get]) -> str | None:
    for get in getters:
        value = get(peek)
        if isinstance(value, str):
            return value
    return None


def severity_of(fields: Mapping[str, object], keys: Keys) -> str | None:
    """The severity in the members of a JSON object; None when they say none."""
    found = (_severity(fields.get(key), key == "severity") for key in keys.severity)
    return next((severity for severity in found if severity is not None), None)


def _severity(value: object, official: bool) -> str | None:
    """Under any key but `severity` 0 to 99 is not one of Google's numbers (pino's `level: 30`)."""
    found = None if value is None else translate(value)
    return found if official or found != "DEFAULT" else None
