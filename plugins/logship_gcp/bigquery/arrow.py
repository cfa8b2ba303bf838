"""Rows into Arrow columns of the table.

The compiled kernel writes Arrow's buffers itself (`buffers`). Without it a batch is converted by a
few calls into C per column; what Arrow refuses is halved until the guilty row is alone, so that its
neighbours land. TIMESTAMP has microseconds: the nanoseconds left over go into their own column.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logship.api import Batch, time_ns, time_text
from logship_gcp.bigquery.buffers import MICROS, Array, columns_of
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.labels import label_column, shared_columns
from logship_gcp.bigquery.own_time import known_times
from logship_gcp.bigquery.schema import COLUMNS
from logship_gcp.bigquery.tabled import fields_of

_NANOS = pa.timestamp("ns", "UTC")
_RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$"
_TYPES: Mapping[str, pa.DataType] = {
    "TIMESTAMP": MICROS,
    "INT64": pa.int64(),
    "STRING": pa.string(),
    "JSON": pa.string(),
}
SCHEMA = pa.schema([pa.field(column.name, _TYPES[column.type]) for column in COLUMNS])
_TROUBLE = (pa.ArrowException, ValueError, OverflowError, TypeError)


@dataclass(frozen=True, slots=True)
class Converted:
    """Rows of one batch as Arrow columns; `rows` are their indices in the batch."""

    rows: Sequence[int]
    columns: pa.RecordBatch


@dataclass(slots=True)
class Conversion:
    """Of one batch: what Arrow took, and the rows that it did not with the reason."""

    taken: list[Converted] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


def convert(batch: Batch, rows: Sequence[int], extractor: Extractor, ingest_ns: int) -> Conversion:
    """These rows of the batch."""
    found = Conversion()
    whole = batch if len(rows) == len(batch.rows) else _part(batch, rows)
    _convert(whole, rows, lambda part: _columns(part, extractor, ingest_ns), found)
    return found


def _convert(
    batch: Batch,
    rows: Sequence[int],
    columns: Callable[[Batch], pa.RecordBatch],
    found: Conversion,
) -> None:
    if not rows:
        return
    try:
        found.taken.append(Converted(rows, columns(batch)))
        return
    except _TROUBLE as error:
        if len(rows) == 1:
            found.refused.append((rows[0], f"not a row of the table: {error}"))
            return
    middle = len(rows) // 2
    _convert(_part(batch, range(middle)), rows[:middle], columns, found)
    _convert(_part(batch, range(middle, len(rows))), rows[middle:], columns, found)


def _part(batch: Batch, rows: Sequence[int]) -> Batch:
    wanted = set(rows)
    return batch.keep([row in wanted for row in range(len(batch.rows))])


def _columns(batch: Batch, extractor: Extractor, ingest_ns: int) -> pa.RecordBatch:
    count, found = len(batch.rows), fields_of(batch, extractor)
    columns = dict(columns_of(found, count) if found else _of_values(batch, extractor))
    columns["labels"] = _labels(batch)
    columns["ingest_time"] = pa.repeat(pa.scalar(ingest_ns // 1000, MICROS), count)
    for name, value in shared_columns(batch).items():
        columns[name] = pa.repeat(pa.scalar(value, pa.string()), count)
    return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _of_values(batch: Batch, extractor: Extractor) -> Mapping[str, Array]:
    """The columns that differ from row to row, from columns of Python values."""
    rows = batch.rows
    found = extractor.columns(rows.texts, rows.streams)
    timestamps, nanos = _timestamps(rows.times, batch.mtime_ns)
    return {
        "timestamp": timestamps,
        "nanos": nanos,
        "event_time": _event_times(found.event_times),
        "severity": _texts(found.severities),
        "message": _texts(found.messages),
        "payload": _texts(found.payloads),
        "stream": _texts(rows.streams),
        "trace": _texts(found.traces),
        "span_id": _texts(found.span_ids),
        "insert_id": _texts(batch.ids()),
    }


def _texts(values: Sequence[str | None]) -> Array:
    return pa.array(values, pa.string())


def _labels(batch: Batch) -> Array:
    count, shared = len(batch.rows), label_column(batch)
    if not batch.rows.marks:
        return pa.repeat(pa.scalar(shared, pa.string()), count)
    labels = list(repeat(shared, count))
    for row, mark in batch.rows.marks.items():
        labels[row] = label_column(batch, mark)
    return _texts(labels)


def _timestamps(times: Sequence[str], mtime_ns: int) -> tuple[Array, Array]:
    """(microseconds, the nanoseconds left over) of the rows' times."""
    if "" in times:  # a line without a time of its own has that of its file
        own = time_text(mtime_ns)
        times = [time or own for time in times]
    try:
        return _split(pc.cast(pa.array(times, pa.string()), _NANOS))
    except pa.ArrowInvalid:  # before 1678 or after 2261, where 64 bits of nanoseconds end
        each = [divmod(time_ns(time), 1000) for time in times]
        micros = pa.array([whole for whole, _ in each], pa.int64())
        return micros.cast(MICROS), pa.array([left for _, left in each], pa.int64())


def _event_times(times: Sequence[str | None]) -> Array:
    """Microseconds; None where the application wrote no time that can be read."""
    texts = pa.array(times, pa.string())
    # Arrow reads more than RFC 3339, but not beside a time that it cannot read.
    texts = pc.if_else(pc.match_substring_regex(texts, _RFC3339), texts, None)
    try:
        return _split(pc.cast(texts, _NANOS))[0]
    except pa.ArrowInvalid:
        each = [None if time is None else time_ns(time) // 1000 for time in known_times(times)]
        return pa.array(each, pa.int64()).cast(MICROS)


def _split(times: Any) -> tuple[Array, Array]:
    """(microseconds, nanoseconds left over), rounded down before 1970 as well."""
    left = pc.nanosecond(times)
    whole = pc.divide(pc.subtract(times.cast(pa.int64()), left), 1000)
    return whole.cast(MICROS), left
