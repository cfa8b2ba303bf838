"""Values between Arrow and the REST API's JSON, and query parameters as SQL literals.

A row is {"f": [{"v": ...}, ...]} and every scalar a string: INT64 in decimal, TIMESTAMP as
microseconds (useInt64Timestamp), or as seconds in a float, which is the API's older default.
https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults
"""

import base64
import datetime
import decimal
from collections.abc import Callable, Sequence

import msgspec
import pyarrow as pa
from sqlglot import exp

from logship_sandbox.bigquery_errors import invalid, invalid_query, unsupported
from logship_sandbox.bigquery_resources import FieldSchema, Resource
from logship_sandbox.bigquery_sql import Parameters
from logship_sandbox.bigquery_types import KINDS, LEGACY

Cell = object
Encoder = Callable[[object], Cell]


def rows_json(
    rows: pa.Table, fields: Sequence[FieldSchema], int64_timestamps: bool
) -> list[dict[str, Cell]]:
    """The rows as the API sends them."""
    columns = []
    for field, column in zip(fields, rows.columns, strict=True):
        encode = _encoder(field, int64_timestamps)
        values: list[object] = pa.table({"v": column.cast(_wire_type(column.type))})[
            "v"
        ].to_pylist()
        columns.append([{"v": None if value is None else encode(value)} for value in values])
    return [{"f": list(cells)} for cells in zip(*columns, strict=True)]


def _wire_type(kind: pa.DataType) -> pa.DataType:
    """Timestamps as integers: Python's datetime would cost a time zone each."""
    if isinstance(kind, pa.TimestampType) and kind.tz is not None:
        return pa.int64()
    if isinstance(kind, pa.ListType):
        return pa.list_(_wire_type(kind.value_type))
    if isinstance(kind, pa.StructType):
        return pa.struct([pa.field(f.name, _wire_type(f.type)) for f in kind])
    return kind


def _encoder(field: FieldSchema, int64_timestamps: bool) -> Encoder:
    if field.mode == "REPEATED":
        element = _encoder(
            FieldSchema(field.name, field.type, "NULLABLE", field.fields), int64_timestamps
        )
        return lambda value: [{"v": None if v is None else element(v)} for v in _list(value)]
    if field.type == "RECORD":
        encoders = [(f.name, _encoder(f, int64_timestamps)) for f in field.fields]
        return lambda value: {"f": [{"v": _some(e, _get(value, n))} for n, e in encoders]}
    if field.type == "TIMESTAMP" and not int64_timestamps:
        return lambda value: repr(_int(value) / 1e6)
    return _SCALARS.get(field.type, str)


def _some(encode: Encoder, value: object) -> Cell:
    return None if value is None else encode(value)


def _get(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0


def _decimal(value: object) -> str:
    text = format(value, "f") if isinstance(value, decimal.Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _clock(value: object) -> str:
    """ISO 8601 with the T that the client wants, microseconds only when there are some."""
    if isinstance(value, (datetime.datetime, datetime.time)):
        return value.isoformat()
    return str(value)


def _base64(value: object) -> str:
    return base64.standard_b64encode(value).decode() if isinstance(value, bytes) else str(value)


_SCALARS: dict[str, Encoder] = {
    "BOOLEAN": lambda value: "true" if value else "false",
    "BYTES": _base64,
    "FLOAT": lambda value: str(value).replace("inf", "Infinity").replace("nan", "NaN"),
    "INTEGER": _decimal,
    "NUMERIC": _decimal,
    "DATETIME": _clock,
    "TIME": _clock,
}


class ParameterType(Resource, frozen=True):
    type: str
    array_type: "ParameterType | None" = None


class ParameterValue(Resource, frozen=True):
    value: str | None = None
    array_values: tuple["ParameterValue", ...] = ()


class QueryParameter(Resource, frozen=True):
    """https://cloud.google.com/bigquery/docs/reference/rest/v2/QueryParameter"""

    parameter_type: ParameterType
    parameter_value: ParameterValue = ParameterValue()
    name: str | None = None


def literals(raw: object) -> Parameters:
    """The request's queryParameters as typed literals."""
    try:
        given = msgspec.convert(raw or [], list[QueryParameter])
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid query parameters: {error}") from None
    named = {p.name: _literal(p.parameter_type, p.parameter_value) for p in given if p.name}
    positional = [_literal(p.parameter_type, p.parameter_value) for p in given if not p.name]
    return Parameters(named, positional)


def _literal(kind: ParameterType, value: ParameterValue) -> exp.Expr:
    if kind.type == "ARRAY" and kind.array_type is not None:
        return exp.Array(expressions=[_literal(kind.array_type, v) for v in value.array_values])
    name = LEGACY.get(kind.type, kind.type)
    if name not in KINDS or name == "BYTES":
        raise unsupported(f"query parameters of type {kind.type}")
    to = exp.DataType.build(KINDS[name].duckdb, dialect="duckdb")
    if value.value is None:
        return exp.Cast(this=exp.Null(), to=to)
    return exp.Cast(this=exp.Literal.string(_checked(name, value.value)), to=to)


def _checked(kind: str, text: str) -> str:
    try:
        if kind == "INTEGER":
            int(text)
        elif kind == "FLOAT":
            float(text)
        elif kind == "TIMESTAMP":
            datetime.datetime.fromisoformat(text.replace(" UTC", "+00:00"))
    except ValueError:
        raise invalid_query(f"Invalid {kind} query parameter value: {text!r}") from None
    return text
