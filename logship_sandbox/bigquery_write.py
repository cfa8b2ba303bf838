"""The Storage Write API over gRPC: `_default` and COMMITTED streams, rows in Arrow.

What a request does wrong is answered in its own response (`error`, and `row_errors` for rows), so
the other streams of the connection go on; a stream or table that does not exist ends the call with
NOT_FOUND, as clients of the real service report. BUFFERED and PENDING streams, proto rows and
`updated_schema` are not served.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
from google.cloud.bigquery_storage_v1 import types
from google.protobuf.message import Message
from grpc import StatusCode

from logship_sandbox import bigquery_protos as protos
from logship_sandbox.bigquery_connection import Append, Connection, Refused, StreamName
from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_resources import FieldSchema, Table
from logship_sandbox.bigquery_rows import RefusedSchema, RowFault
from logship_sandbox.bigquery_service import Service
from logship_sandbox.bigquery_trouble import Trouble

ROWS_MESSAGE = (
    "Errors found while processing rows. Please refer to the row_errors field for details. "
    "The list may not be complete because of the size limitations."
)
_STORAGE_TYPES = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}
_Codes = types.StorageError.StorageErrorCode

Context = grpc.aio.ServicerContext[object, object]
Sized = tuple[protos.AppendRequest, int]  # a request and its bytes on the wire


@dataclass
class _Committed:
    """A COMMITTED stream: how many rows it has, which is the offset of its next one."""

    rows: int = 0
    finalized: bool = False
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class WriteApi:
    """The calls of BigQueryWrite that a writer of Arrow rows makes."""

    def __init__(self, service: Service, trouble: Trouble) -> None:
        self._service = service
        self._trouble = trouble
        self._committed: dict[StreamName, _Committed] = {}

    async def append_rows(
        self, requests: AsyncIterator[Sized], context: Context
    ) -> AsyncIterator[Message]:
        """A response for each request, in their order."""
        connection = Connection()
        async for request, size in requests:
            await self._trouble.before_grpc(context)
            await self._need("TABLES_UPDATE_DATA", "bigquery.tables.updateData", context)
            try:
                append = connection.read(request, size)
                poison = self._trouble.poison
                if poison and poison in str(append.batch.to_pylist()):
                    raise Refused(StatusCode.INVALID_ARGUMENT, "Cannot parse the rows.")
                yield await self._append(append)
            except Refused as refused:
                if refused.ends:
                    await context.abort(refused.code, refused.message)
                yield _refusal(refused, request.write_stream)

    async def _need(self, said: str, permission: str, context: Context) -> None:
        if self._trouble.denies(permission):
            message = f"Permission '{said}' denied on resource (or it may not exist)."
            await context.abort(StatusCode.PERMISSION_DENIED, message)

    async def create(self, request: protos.CreateRequest, context: Context) -> Message:
        await self._trouble.before_grpc(context)
        kind = request.write_stream.type_
        if kind != protos.COMMITTED:
            name = types.WriteStream.Type(kind).name
            what = f"The sandbox has no {name} streams, only COMMITTED ones and _default."
            await context.abort(StatusCode.UNIMPLEMENTED, what)
        stream = await self._parsed(f"{request.parent}/streams/{uuid.uuid4().hex}", context)
        made = await self._described(stream, context)
        self._committed[stream] = _Committed()
        return made

    async def get(self, request: protos.Named, context: Context) -> Message:
        await self._trouble.before_grpc(context)
        await self._need("TABLES_GET", "bigquery.tables.get", context)
        stream = await self._parsed(request.name, context)
        if not stream.is_default and stream not in self._committed:
            await context.abort(StatusCode.NOT_FOUND, _not_found(stream))
        return await self._described(stream, context)

    async def finalize(self, request: protos.Named, context: Context) -> Message:
        await self._trouble.before_grpc(context)
        stream = await self._parsed(request.name, context)
        state = self._committed.get(stream)
        if state is None:
            await context.abort(StatusCode.NOT_FOUND, _not_found(stream))
            raise AssertionError  # abort raises
        state.finalized = True
        return protos.FINALIZE_RESPONSE(row_count=state.rows)

    async def _append(self, append: Append) -> Message:
        table = self._table(append.stream)
        if append.stream.is_default:
            faults = await self._write(table, append)
            return _answer(append.stream, faults, None)
        state = self._committed.get(append.stream)
        if state is None:
            raise Refused(StatusCode.NOT_FOUND, _not_found(append.stream), ends=True)
        async with state.turn:
            at = _next_offset(state, append)
            faults = await self._write(table, append)
            state.rows += 0 if faults else append.batch.num_rows
            return _answer(append.stream, faults, at)

    async def _write(self, table: Table, append: Append) -> list[RowFault]:
        try:
            return await self._service.append(table, append.batch)
        except RefusedSchema as refused:
            extra = int(_Codes.SCHEMA_MISMATCH_EXTRA_FIELDS) if refused.extra else 0
            message = f"{refused.message} Entity: {append.stream}"
            raise Refused(StatusCode.INVALID_ARGUMENT, message, extra) from None

    def _table(self, stream: StreamName) -> Table:
        try:
            table = self._service.catalog.table(stream.table)
        except ApiError:
            raise Refused(StatusCode.NOT_FOUND, _not_found(stream), ends=True) from None
        if table.view is not None:
            what = f"Cannot append to the view {stream.table}. Entity: {stream}"
            raise Refused(StatusCode.INVALID_ARGUMENT, what, ends=True)
        return table

    async def _parsed(self, name: str, context: Context) -> StreamName:
        try:
            return StreamName.parse(name)
        except Refused as refused:
            await context.abort(refused.code, refused.message)
            raise AssertionError from None  # abort raises

    async def _described(self, stream: StreamName, context: Context) -> Message:
        try:
            table = self._table(stream)
        except Refused as refused:
            await context.abort(refused.code, refused.message)
            raise AssertionError from None  # abort raises
        schema = types.TableSchema(fields=[_storage_field(f) for f in table.fields])
        kind = types.WriteStream.Type.COMMITTED
        made = types.WriteStream(name=str(stream), type_=kind, table_schema=schema, location="us")
        return protos.WRITE_STREAM.FromString(types.WriteStream.serialize(made))


def _next_offset(state: _Committed, append: Append) -> int:
    """Where the rows go; Refused when the client's offset says otherwise."""
    if state.finalized:
        raise Refused(
            StatusCode.INVALID_ARGUMENT,
            f"Stream has been finalized and cannot be appended. Entity: {append.stream}",
            int(_Codes.STREAM_FINALIZED),
        )
    given, end = append.offset, state.rows
    where = f"expected offset {end}, received {given}. Entity: {append.stream}"
    if given is not None and given < end:
        message = f"The offset is within stream, {where}"
        raise Refused(StatusCode.ALREADY_EXISTS, message, int(_Codes.OFFSET_ALREADY_EXISTS))
    if given is not None and given > end:
        message = f"The offset is beyond stream, {where}"
        raise Refused(StatusCode.OUT_OF_RANGE, message, int(_Codes.OFFSET_OUT_OF_RANGE))
    return end


def _answer(stream: StreamName, faults: list[RowFault], offset: int | None) -> Message:
    name = str(stream)
    if not faults:
        place = {} if offset is None else {"offset": {"value": offset}}
        return protos.APPEND_RESPONSE(
            append_result=protos.APPEND_RESULT(**place), write_stream=name
        )
    invalid = int(StatusCode.INVALID_ARGUMENT.value[0])
    errors = [
        protos.ROW_ERROR(index=f.index, code=protos.FIELDS_ERROR, message=f.message) for f in faults
    ]
    error = protos.status(invalid, f"{ROWS_MESSAGE} Entity: {name}")
    return protos.APPEND_RESPONSE(error=error, row_errors=errors, write_stream=name)


def _refusal(refused: Refused, stream: str) -> Message:
    code = int(refused.code.value[0])
    error = protos.status(code, refused.message, refused.storage_code, stream)
    return protos.APPEND_RESPONSE(error=error, write_stream=stream)


def _not_found(stream: StreamName) -> str:
    return f"Requested entity was not found. Entity: {stream}"


def _storage_field(f: FieldSchema) -> types.TableFieldSchema:
    return types.TableFieldSchema(
        name=f.name,
        type_=_STORAGE_TYPES.get(f.type, f.type),
        mode=f.mode,
        fields=[_storage_field(child) for child in f.fields],
    )
