"""Which special fields the compiled kernel may lift alone: those whose value has its usual form.

Of each key: what it becomes in the entry, and the form in which `special` is certain to take all of
it. Everything else (a value of another form, a key that two of the options name) is for `special`.
"""

from collections.abc import Mapping, Sequence

import orjson

from logship.api import kernel
from logship_gcp.cloud_logging.payloads import MESSAGE_KEYS
from logship_gcp.cloud_logging.special_types import (
    HTTP_REQUEST,
    OPERATION,
    SOURCE_LOCATION,
    Part,
    flag,
    int32,
    int64,
    latency,
    text,
)
from logship_gcp.cloud_logging.times import PAIR

_PREFIX = "logging.googleapis.com/"
OWN = "logship/"
"""What the names of our own labels begin with."""
_PARTS: Mapping[Part, kernel.PartKind] = {
    text: "text", flag: "flag", int32: "int32", int64: "int64", latency: "seconds",
}  # fmt: skip


def forms(
    keys: Sequence[str],
    severity_keys: Sequence[str],
    trace_keys: Sequence[str],
    project: str,
    max_labels: int,
) -> tuple[kernel.Form, ...]:
    """Of each of the keys, in their order. `max_labels`: 0 where entries have others already."""
    prefix = orjson.dumps(f"projects/{project}/traces/")[1:-1].decode()
    known = [
        *_FIXED,
        *(kernel.Form(key, "choice", "severity") for key in severity_keys),
        *(kernel.Form(key, "id", "trace", prefix) for key in trace_keys),
        kernel.Form(
            _PREFIX + "labels", "map" if max_labels else "caller", "labels", OWN, most=max_labels
        ),
    ]
    return tuple(_only([form for form in known if form.key == key], key) for key in keys)


def _only(found: Sequence[kernel.Form], key: str) -> kernel.Form:
    """The form of a key, unless it has none or two."""
    return found[0] if len(found) == 1 else kernel.Form(key, "caller")


def _record(key: str, name: str, parts: Mapping[str, Part]) -> kernel.Form:
    kinds = tuple((part, _PARTS[read]) for part, read in parts.items())
    return kernel.Form(key, "record", name, parts=kinds)


_FIXED = (
    kernel.Form("time", "time"),
    kernel.Form("timestamp", "time"),
    _record("httpRequest", "httpRequest", HTTP_REQUEST),
    _record(_PREFIX + "http_request", "httpRequest", HTTP_REQUEST),
    _record(_PREFIX + "operation", "operation", OPERATION),
    _record(_PREFIX + "sourceLocation", "sourceLocation", SOURCE_LOCATION),
    kernel.Form(_PREFIX + "spanId", "id", "spanId"),
    kernel.Form(_PREFIX + "trace_sampled", "flag", "traceSampled"),
    kernel.Form(_PREFIX + "traceSampled", "flag", "traceSampled"),
    *(kernel.Form(key, "message") for key in sorted(MESSAGE_KEYS)),
    *(kernel.Form(key, "caller") for key in (*PAIR, _PREFIX + "insertId")),
)
