"""Special fields of a JSON row: they become fields of the entry and leave the payload.

The table is that of GKE's agent, in the spellings of fluentd and Fluent Bit. A value that does not
fit the field's type stays in the payload, part by part, so that no row is ever refused for it.

    severity                                    `severity_keys`; only `severity` leaves the payload
    timestamp {seconds, nanos} | timestampSeconds + timestampNanos | time | timestamp (RFC 3339)
    httpRequest | logging.googleapis.com/http_request
    logging.googleapis.com/trace                `trace_keys`; 32 hex digits get the project's prefix
    logging.googleapis.com/{spanId, trace_sampled | traceSampled, labels, operation,
                            sourceLocation, insertId}

insertId: an application's own is kept, as GKE does, in place of the row's id. It too is a function
of the row's bytes, so a row sent twice is still one entry; rows to which the application gives the
same id and time become one, as it asked for, and such rows do not sort by address. One that is not
1 to 512 printable ASCII characters stays in the payload.

A time of the application more than a day after the runtime's would be refused, and one older than
a bucket keeps entries would not be stored: the runtime's time is taken, the field stays, and the
row is labelled. This compares two times of the same row and no clock, so that it comes out the
same whenever the row is sent.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from logship.api import JsonObject, of_fields
from logship_gcp.cloud_logging.frames import RESERVED_LABELS
from logship_gcp.cloud_logging.special_types import (
    HTTP_REQUEST,
    OPERATION,
    SOURCE_LOCATION,
    Part,
    flag,
    label_text,
)
from logship_gcp.cloud_logging.times import PAIR, TOO_FAR, special_time

_PREFIX = "logging.googleapis.com/"
_TIME_KEYS = ("timestamp", "timestampSeconds", "time")
_BARE_TRACE = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
_INSERT_ID = re.compile(r"[ -~]{1,512}")
RESERVED_MARKS = 4
MAX_LABELS_BYTES = 16 * 1024
"""Of one row's own labels; what is beyond stays in the payload."""


@dataclass(slots=True)
class Lifted:
    """What special fields said."""

    rest: dict[str, object]
    """The payload that remains."""
    severity: str | None = None
    time: str | None = None
    insert_id: str | None = None
    clamped: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    members: dict[str, object] = field(default_factory=dict)
    """Other fields of the entry."""

    @property
    def own_bytes(self) -> int:
        """What labels and members add to the entry, about."""
        return sum(len(orjson.dumps(own)) for own in (self.labels, self.members) if own)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads special fields as the options say."""

    project: str
    severity_keys: tuple[str, ...]
    trace_keys: tuple[str, ...]
    json: bool = True
    """Whether texts that are JSON objects are parsed."""
    max_labels: int = RESERVED_LABELS - RESERVED_MARKS
    """How many labels a row may set."""
    oldest_secs: float = 0.0
    """How long before the runtime's time an application's own may be; 0: any."""
    _keys: frozenset[str] = field(init=False)
    _severity_keys: frozenset[str] = field(init=False)
    ordered_keys: tuple[str, ...] = field(init=False)
    """All members of an object that are read here, those that only tell a severity first."""

    def __post_init__(self) -> None:
        others = {*self.trace_keys, *_TIME_KEYS, *_LIFTS}
        object.__setattr__(self, "_severity_keys", frozenset(self.severity_keys) - others)
        object.__setattr__(self, "_keys", self._severity_keys | others)
        ordered = (*sorted(self._severity_keys), *sorted({*others, *PAIR}))
        object.__setattr__(self, "ordered_keys", ordered)

    @property
    def severities(self) -> int:
        """How many of `ordered_keys` only tell a severity."""
        return len(self._severity_keys)

    def special_keys(self, fields: JsonObject) -> frozenset[str]:
        """Those that the object has."""
        return self._keys.intersection(fields)

    def only_severity(
        self, fields: JsonObject, found: frozenset[str]
    ) -> tuple[str | None, JsonObject] | None:
        """(severity, payload) of an object without any other special field; None if it has one."""
        if not found:
            return None, fields
        if not found <= self._severity_keys:
            return None
        severity, key = of_fields(fields, self.severity_keys) or (None, "")
        if key == "severity":
            fields = {**fields}
            del fields["severity"]
        return severity, fields

    def lift(self, fields: JsonObject, found: frozenset[str], runtime_time: str) -> Lifted:
        """`fields` is not changed; `found` are its special keys."""
        lifted = Lifted({**fields})
        if severity := of_fields(fields, self.severity_keys):
            lifted.severity = severity[0]
            if severity[1] == "severity":
                del lifted.rest["severity"]
        if not found.isdisjoint(_TIME_KEYS):
            _lift_time(lifted, fields, runtime_time, self.oldest_secs)
        for key in self.trace_keys:
            if key in found and self._lift_trace(lifted, key, fields[key]):
                break
        for key in sorted(found):  # of two spellings, always the same one
            if (lift := _LIFTS.get(key)) is not None:
                lift(lifted, key, fields[key], self.max_labels)
        return lifted

    def _lift_trace(self, lifted: Lifted, key: str, value: object) -> bool:
        if not isinstance(value, str) or not value:
            return False
        bare = _BARE_TRACE.fullmatch(value)
        lifted.members["trace"] = f"projects/{self.project}/traces/{value}" if bare else value
        lifted.rest.pop(key, None)
        return True


def _lift_time(lifted: Lifted, fields: JsonObject, runtime_time: str, oldest_secs: float) -> None:
    found = special_time(fields, runtime_time, oldest_secs)
    if found is TOO_FAR:
        lifted.clamped = True
    elif found is not None:
        lifted.time = found.text
        for key in found.keys:
            del lifted.rest[key]


def _object(name: str, parts: Mapping[str, Part]) -> Callable[[Lifted, str, object, int], None]:
    def lift(lifted: Lifted, key: str, value: object, max_labels: int) -> None:
        if not isinstance(value, dict) or name in lifted.members:
            return
        taken = {
            part: fitting
            for part, read in parts.items()
            if part in value and (fitting := read(value[part])) is not None
        }
        if taken:
            lifted.members[name] = taken
            _leave(lifted, key, {part: inner for part, inner in value.items() if part not in taken})

    return lift


def _leave(lifted: Lifted, key: str, what_stays: dict[str, object]) -> None:
    if what_stays:
        lifted.rest[key] = what_stays
    else:
        del lifted.rest[key]


def _lift_span(lifted: Lifted, key: str, value: object, max_labels: int) -> None:
    if isinstance(value, str) and value:
        lifted.members["spanId"] = value
        del lifted.rest[key]


def _lift_sampled(lifted: Lifted, key: str, value: object, max_labels: int) -> None:
    sampled = flag(value)
    if sampled is not None and "traceSampled" not in lifted.members:
        lifted.members["traceSampled"] = sampled
        del lifted.rest[key]


def _lift_insert_id(lifted: Lifted, key: str, value: object, max_labels: int) -> None:
    if isinstance(value, str) and _INSERT_ID.fullmatch(value):
        lifted.insert_id = value
        del lifted.rest[key]


def _lift_labels(lifted: Lifted, key: str, value: object, max_labels: int) -> None:
    if not isinstance(value, dict):
        return
    room = MAX_LABELS_BYTES
    for name, inner in value.items():
        text = label_text(inner)
        if text is None or name.startswith("logship/") or len(lifted.labels) >= max_labels:
            continue
        room -= len(name.encode()) + len(text.encode())
        if room >= 0:
            lifted.labels[name] = text
    _leave(lifted, key, {k: v for k, v in value.items() if k not in lifted.labels})


_lift_request = _object("httpRequest", HTTP_REQUEST)
_LIFTS: Mapping[str, Callable[[Lifted, str, object, int], None]] = {
    "httpRequest": _lift_request,
    _PREFIX + "http_request": _lift_request,
    _PREFIX + "spanId": _lift_span,
    _PREFIX + "trace_sampled": _lift_sampled,
    _PREFIX + "traceSampled": _lift_sampled,
    _PREFIX + "labels": _lift_labels,
    _PREFIX + "operation": _object("operation", OPERATION),
    _PREFIX + "sourceLocation": _object("sourceLocation", SOURCE_LOCATION),
    _PREFIX + "insertId": _lift_insert_id,
}
