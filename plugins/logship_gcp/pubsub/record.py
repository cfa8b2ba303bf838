"""One row as one JSON message, in the columns of the BigQuery table, and back.

A BigQuery subscription with `use_table_schema` writes such a message into the table that the
loader would have filled: the same columns, a TIMESTAMP as RFC 3339 with microseconds, absent
columns NULL. The subscription writes through the Storage Write API, where a value of a JSON column
is a string that holds JSON; `json_columns: value` nests the JSON instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import Batch, is_time, time_ns, time_text
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.labels import SHARED, label_column, shared_columns
from logship_gcp.bigquery.own_time import known_times

FORMAT = "record/1"
JsonColumns = Literal["text", "value"]


class Record(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A row of the table as a message carries it."""

    timestamp: str
    nanos: int = 0
    """The nanoseconds that microseconds leave over: 0 to 999."""
    event_time: str | None = None
    severity: str | None = None
    message: str | None = None
    payload: object = None
    cluster: str | None = None
    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    node: str | None = None
    stream: str | None = None
    labels: object = None
    trace: str | None = None
    span_id: str | None = None
    insert_id: str | None = None
    ingest_time: str | None = None


def split_time(text: str) -> tuple[str, int]:
    """(RFC 3339 with at most microseconds, the nanoseconds left over) of an RFC 3339 time."""
    if len(text) == 30 and text[19] == "." and text[29] == "Z":  # as containerd writes most
        return text[:26] + "Z", int(text[26:29])
    head, _, rest = text.partition(".")
    digits = rest.rstrip("Z")
    if not digits.isdecimal() or not digits.isascii():
        sign = max(rest.find("+"), rest.find("-"))
        if sign < 0:
            return text, 0
        digits, zone = rest[:sign], rest[sign:]
    else:
        zone = rest[len(digits) :]
    if len(digits) <= 6:
        return text, 0
    return f"{head}.{digits[:6]}{zone}", int(digits[6:9].ljust(3, "0"))


def row_time(time: str, mtime_ns: int) -> str:
    """A line without a time of its own has that of its file."""
    return time or time_text(mtime_ns)


def encode_rows(
    batch: Batch, extractor: Extractor, json_columns: JsonColumns, now_ns: int
) -> Iterator[tuple[str, bytes]]:
    """Per row (its id, the body of its message)."""
    rows = batch.rows
    found = extractor.columns(rows.texts, rows.streams)
    event_times = known_times(found.event_times)
    shared = shared_columns(batch)
    shared_labels = label_column(batch)
    ingest_time = split_time(time_text(now_ns))[0]
    for row, insert_id in enumerate(batch.ids()):
        labels = shared_labels
        if row in rows.marks:
            labels = label_column(batch, rows.marks[row])
        time, nanos = split_time(row_time(rows.times[row], batch.mtime_ns))
        yield (
            insert_id,
            _encode(
                Record(
                    timestamp=time,
                    nanos=nanos,
                    event_time=_micros(event_times[row]),
                    severity=found.severities[row],
                    message=found.messages[row],
                    payload=_json(found.payloads[row], json_columns),
                    stream=rows.streams[row],
                    labels=_json(labels, json_columns),
                    trace=found.traces[row],
                    span_id=found.span_ids[row],
                    insert_id=insert_id,
                    ingest_time=ingest_time,
                    cluster=shared["cluster"],
                    namespace=shared["namespace"],
                    pod=shared["pod"],
                    container=shared["container"],
                    node=shared["node"],
                )
            ),
        )


def _micros(time: str | None) -> str | None:
    return None if time is None else split_time(time)[0]


def _json(text: str | None, json_columns: JsonColumns) -> str | msgspec.Raw | None:
    if text is None or json_columns == "text":
        return text
    return msgspec.Raw(text)


_encoder = msgspec.json.Encoder()


def _encode(record: Record) -> bytes:
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        # A transform may make a lone surrogate of an escape in JSON; UTF-8 cannot write one.
        for name in record.__struct_fields__:
            value = getattr(record, name)
            if isinstance(value, str):
                setattr(record, name, value.encode(errors="replace").decode())
        return _encoder.encode(record)


@dataclass(frozen=True, slots=True)
class Row:
    """What a record was made of."""

    time: str
    stream: str
    text: str
    labels: Mapping[str, str]


class _Incoming(msgspec.Struct):
    """What of a record makes its row; the other columns follow from it."""

    timestamp: str
    stream: Literal["stdout", "stderr"]
    nanos: Annotated[int, Meta(ge=0, lt=1000)] = 0
    message: str | None = None
    payload: msgspec.Raw = msgspec.Raw(b"null")
    labels: msgspec.Raw = msgspec.Raw(b"null")
    cluster: str | None = None
    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    node: str | None = None


_decoder = msgspec.json.Decoder(_Incoming)
_label_decoder = msgspec.json.Decoder(dict[str, str])


def decode_row(body: bytes) -> Row:
    """The row of a message that `encode_rows` made. Raises ValueError."""
    try:
        record = _decoder.decode(body)
        labels = _labels(record)
        payload = _json_text(record.payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ValueError(f"not a record: {error}") from error
    if not is_time(record.timestamp):
        raise ValueError(f"not a record: {record.timestamp!r} is not a time")
    time = record.timestamp
    return Row(
        time_text(time_ns(time) + record.nanos) if record.nanos else time,
        record.stream,
        (record.message or "") if payload is None else payload,
        labels,
    )


def _json_text(raw: msgspec.Raw) -> str | None:
    """The JSON in a JSON column, whether it came as a string or as a value."""
    content = bytes(raw)
    if content == b"null":
        return None
    if content.startswith(b'"'):
        return msgspec.json.decode(content, type=str)
    return content.decode()


def _labels(record: _Incoming) -> dict[str, str]:
    shared: dict[str, str | None] = {name: getattr(record, name) for name in SHARED}
    found = {name: value for name, value in shared.items() if value}
    text = _json_text(record.labels)
    if text is not None:
        found |= {f"label:{key}": value for key, value in _label_decoder.decode(text).items()}
    return found
