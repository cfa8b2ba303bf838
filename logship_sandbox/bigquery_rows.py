"""Arrow rows into a table: all of a request or none of it.

First what concerns the whole request (columns the table has not, types that do not fit), then what
concerns single rows (NULL in a REQUIRED column, a timestamp out of range, text that is not JSON).
The good case is one pass of Arrow's kernels and one INSERT; rows are looked at one by one only
after DuckDB has refused the request.

The types taken are those BigQuery names for Arrow, a little wider for integers and strings, and
TIMESTAMP must be timestamp[us] with a time zone, because nanoseconds would be cut off silently.
"""

from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from logship_sandbox.bigquery_resources import FieldSchema, Table
from logship_sandbox.bigquery_store import Store
from logship_sandbox.bigquery_types import arrow_type

MAX_ROW_ERRORS = 1_000  # "The list may not be complete because of the size limitations"
# 0001-01-01 to 9999-12-31 23:59:59.999999
MIN_TIMESTAMP_US = -62_135_596_800_000_000
MAX_TIMESTAMP_US = 253_402_300_799_999_999

Column: TypeAlias = "pa.Array[pa.Scalar[pa.DataType]]"


@dataclass(frozen=True)
class RowFault:
    """A row of the request that the table refuses."""

    index: int
    message: str


@dataclass(frozen=True)
class RefusedSchema(Exception):
    """The request's columns do not fit the table. `extra` when the table lacks some of them."""

    message: str
    extra: bool = False


def append_batch(store: Store, table: Table, batch: pa.RecordBatch) -> list[RowFault]:
    """Append every row, or none and the rows that are to blame. Raises RefusedSchema. Blocks."""
    rows = conform(table, batch)
    faults = faulty_values(table, rows)
    if faults:
        return faults
    try:
        store.append(table.table_reference, rows)
    except duckdb.Error as error:
        faults = _not_json(store, table, rows)
        if not faults:
            raise RefusedSchema(f"The rows do not fit: {str(error).splitlines()[0]}") from None
    return faults


def conform(table: Table, batch: pa.RecordBatch) -> pa.Table:
    """The batch with the table's names and types; RefusedSchema when it cannot have them."""
    try:
        batch.validate(full=True)  # offsets and UTF-8: nothing else stands before DuckDB
    except pa.ArrowInvalid as error:
        raise RefusedSchema(f"The Arrow record batch is invalid: {error}") from None
    fields = {field.name.lower(): field for field in table.fields}
    names, columns = [], []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        field = fields.pop(name.lower(), None)
        if field is None:
            raise RefusedSchema(
                "Input schema has more fields than BigQuery schema, extra fields: "
                f"'{name}' (table {table.table_reference}), or it is there twice",
                extra=True,
            )
        names.append(field.name)
        columns.append(_fitted(field, column))
    missing = [field.name for field in fields.values() if field.mode == "REQUIRED"]
    if missing:
        raise RefusedSchema(f"The required field '{missing[0]}' is missing in the Arrow schema")
    return pa.table(dict(zip(names, columns, strict=True)))


def _fitted(field: FieldSchema, column: Column) -> Column:
    wanted = arrow_type(field)
    if column.type == wanted:
        return column
    if _widens(column.type, wanted):
        return column.cast(wanted)
    raise RefusedSchema(
        f"Field '{field.name}' is {field.type} in the table and {column.type} in Arrow; "
        f"send it as {wanted}"
    )


def _widens(given: pa.DataType, wanted: pa.DataType) -> bool:
    types = pa.types
    if types.is_null(given):
        return True
    if types.is_string(wanted):
        return bool(types.is_large_string(given) or types.is_string_view(given))
    if types.is_binary(wanted):
        return bool(types.is_large_binary(given))
    if types.is_int64(wanted):
        return bool(types.is_integer(given) and given != pa.uint64())
    if types.is_float64(wanted):
        return bool(types.is_floating(given))
    if types.is_timestamp(wanted) and isinstance(given, pa.TimestampType):
        utc = given.tz in ("UTC", "+00:00", "Etc/UTC")
        return given.unit == "us" and utc and pa.timestamp("us", "UTC") == wanted
    if isinstance(given, pa.StructType) and isinstance(wanted, pa.StructType):
        return False
    if isinstance(given, pa.ListType) and isinstance(wanted, pa.ListType):
        return given.value_type == wanted.value_type or _widens(given.value_type, wanted.value_type)
    return False


def faulty_values(table: Table, rows: pa.Table) -> list[RowFault]:
    """NULLs in REQUIRED columns and timestamps out of range, by row."""
    faults: list[RowFault] = []
    for field in table.fields:
        if field.name not in rows.column_names or field.mode == "REPEATED":
            continue
        column = rows[field.name]
        if field.mode == "REQUIRED" and column.null_count:
            bad = [i for i, null in enumerate(column.is_null().to_pylist()) if null]
            faults += [RowFault(i, f"Field {field.name} is REQUIRED and NULL") for i in bad]
        if field.type in ("TIMESTAMP", "DATETIME"):
            bad = _out_of_range(column)
            faults += [RowFault(i, f"Field {field.name}: timestamp out of range") for i in bad]
    return _bounded(faults)


def _out_of_range(column: "pa.ChunkedArray[pa.TimestampScalar]") -> list[int]:
    micros = column.cast(pa.int64())
    low, high = pc.min(micros).as_py(), pc.max(micros).as_py()
    if low is None or high is None:
        return []
    if low >= MIN_TIMESTAMP_US and high <= MAX_TIMESTAMP_US:
        return []
    below = pc.less(micros, pa.scalar(MIN_TIMESTAMP_US))
    above = pc.greater(micros, pa.scalar(MAX_TIMESTAMP_US))
    return [i for i, bad in enumerate(pc.or_kleene(below, above).to_pylist()) if bad]


def _not_json(store: Store, table: Table, rows: pa.Table) -> list[RowFault]:
    faults: list[RowFault] = []
    for field in table.fields:
        if field.type == "JSON" and field.mode != "REPEATED" and field.name in rows.column_names:
            bad = store.invalid_json(rows[field.name])
            faults += [RowFault(i, f"Field {field.name}: the text is not JSON") for i in bad]
    return _bounded(faults)


def _bounded(faults: list[RowFault]) -> list[RowFault]:
    """One fault a row, in order."""
    first: dict[int, RowFault] = {}
    for fault in faults:
        first.setdefault(fault.index, fault)
    return [first[i] for i in sorted(first)[:MAX_ROW_ERRORS]]
