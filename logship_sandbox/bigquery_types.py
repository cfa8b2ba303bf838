"""BigQuery's types, and what stands for them in DuckDB and in Arrow.

A TIMESTAMP is a DuckDB TIMESTAMPTZ in microseconds (the session's time zone is UTC), a DATETIME is
a TIMESTAMP; that keeps the two apart in results. JSON is DuckDB's JSON, which checks the text.
BIGNUMERIC, GEOGRAPHY, INTERVAL and RANGE are refused.
"""

from dataclasses import dataclass

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType

from logship_sandbox.bigquery_errors import invalid, unsupported
from logship_sandbox.bigquery_resources import FieldSchema

# Standard SQL's names for what the REST API calls by older names.
LEGACY = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}


@dataclass(frozen=True)
class Kind:
    """A scalar type: its name in DuckDB, and the Arrow type its values have at the door."""

    duckdb: str
    arrow: pa.DataType


KINDS = {
    "STRING": Kind("VARCHAR", pa.string()),
    "BYTES": Kind("BLOB", pa.binary()),
    "INTEGER": Kind("BIGINT", pa.int64()),
    "FLOAT": Kind("DOUBLE", pa.float64()),
    "BOOLEAN": Kind("BOOLEAN", pa.bool_()),
    "TIMESTAMP": Kind("TIMESTAMPTZ", pa.timestamp("us", "UTC")),
    "DATETIME": Kind("TIMESTAMP", pa.timestamp("us")),
    "DATE": Kind("DATE", pa.date32()),
    "TIME": Kind("TIME", pa.time64("us")),
    "JSON": Kind("JSON", pa.string()),
    "NUMERIC": Kind("DECIMAL(38,9)", pa.decimal128(38, 9)),
}
# How DuckDB calls what a query answers.
ANSWERS = {
    "varchar": "STRING", "blob": "BYTES", "boolean": "BOOLEAN", "date": "DATE", "time": "TIME",
    "tinyint": "INTEGER", "smallint": "INTEGER", "integer": "INTEGER", "bigint": "INTEGER",
    "hugeint": "INTEGER", "utinyint": "INTEGER", "usmallint": "INTEGER", "uinteger": "INTEGER",
    "ubigint": "INTEGER", "uhugeint": "INTEGER", "float": "FLOAT", "double": "FLOAT",
    "decimal": "NUMERIC", "timestamp with time zone": "TIMESTAMP", "timestamp": "DATETIME",
    "json": "JSON", "uuid": "STRING", "enum": "STRING", "null": "INTEGER", '"null"': "INTEGER",
}  # fmt: skip


def canonical(field: FieldSchema) -> FieldSchema:
    """The field with the API's own type and mode names; refuses what no column here can be."""
    kind = LEGACY.get(field.type.upper(), field.type.upper())
    mode = field.mode.upper() or "NULLABLE"
    if kind not in KINDS and kind != "RECORD":
        raise invalid(f"Field {field.name}: the sandbox has no type {field.type}.")
    if mode not in ("NULLABLE", "REQUIRED", "REPEATED"):
        raise invalid(f"Field {field.name}: invalid mode {field.mode}.")
    if (kind == "RECORD") != bool(field.fields):
        raise invalid(f"Field {field.name} is type {kind} and has {len(field.fields)} subfields.")
    fields = tuple(canonical(child) for child in field.fields)
    return FieldSchema(field.name, kind, mode, fields, field.description)


def duckdb_type(field: FieldSchema) -> str:
    """The column's type in a CREATE TABLE."""
    inner = KINDS[field.type].duckdb if field.type != "RECORD" else _struct(field.fields)
    return f"{inner}[]" if field.mode == "REPEATED" else inner


def _struct(fields: tuple[FieldSchema, ...]) -> str:
    return "STRUCT(" + ", ".join(f"{quoted(f.name)} {duckdb_type(f)}" for f in fields) + ")"


def arrow_type(field: FieldSchema) -> pa.DataType:
    """The Arrow type of the column's values."""
    if field.type == "RECORD":
        inner: pa.DataType = pa.struct([(f.name, arrow_type(f)) for f in field.fields])
    else:
        inner = KINDS[field.type].arrow
    return pa.list_(inner) if field.mode == "REPEATED" else inner


def answer_field(name: str, kind: DuckDBPyType) -> FieldSchema:
    """The field of a result column of DuckDB's type `kind`."""
    text = str(kind)
    if kind.id in ("list", "array"):
        element = answer_field(name, _children(kind)[0][1])
        return FieldSchema(name, element.type, "REPEATED", element.fields)
    if kind.id == "struct":
        fields = tuple(answer_field(child, inner) for child, inner in _children(kind))
        return FieldSchema(name, "RECORD", "NULLABLE", fields)
    known = ANSWERS.get(text.lower()) or ANSWERS.get(kind.id)
    if known is None:
        raise unsupported(f"a result column of type {text} (column {name})")
    return FieldSchema(name, known)


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, inner) for name, inner in kind.children if isinstance(inner, DuckDBPyType)]


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
