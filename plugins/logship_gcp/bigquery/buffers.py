"""Arrow columns of a batch over buffers that the compiled kernel wrote: no Python value per row."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa

from logship.api import kernel
from logship_gcp.bigquery.tabled import NUMBER

if TYPE_CHECKING:
    from logship.rows._kernel import Fields

MICROS = pa.timestamp("us", "UTC")
# pyarrow-stubs type an array by its scalars; what a column holds is said by `arrow.SCHEMA`.
Array: TypeAlias = "pa.Array[Any]"
_TEXTS = ("severity", "message", "payload", "stream", "trace", "span_id", "insert_id")


def columns_of(found: "Fields", count: int) -> Mapping[str, Array]:
    """The columns that differ from row to row."""
    columns = {name: _texts(found, name, count) for name in _TEXTS}
    columns["timestamp"], columns["nanos"] = _times(found, "timestamp", count)
    columns["event_time"], _ = _times(found, "event_time", count)
    return columns


def _texts(found: "Fields", name: str, count: int) -> Array:
    validity, offsets, content, nulls = kernel.cells_of(found, NUMBER[name])
    buffers = [_buffer(validity), pa.py_buffer(offsets), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.string(), count, buffers, nulls)


def _times(found: "Fields", name: str, count: int) -> tuple[Array, Array]:
    """(microseconds, the nanoseconds left over)."""
    validity, micros, nanos, nulls = kernel.times_of(found, NUMBER[name])
    bits = _buffer(validity)
    return (
        pa.Array.from_buffers(MICROS, count, [bits, pa.py_buffer(micros)], nulls),
        pa.Array.from_buffers(pa.int64(), count, [bits, pa.py_buffer(nanos)], nulls),
    )


def _buffer(content: bytes | None) -> pa.Buffer | None:
    return None if content is None else pa.py_buffer(content)
