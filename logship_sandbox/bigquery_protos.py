"""The upb classes of the Storage Write API, with the shapes that the sandbox reads.

proto-plus wraps every field that is read; its `.pb()` gives the class below, which costs nothing
per row. Those classes are made at run time, so what a type checker can know stands here.
"""

from typing import Protocol, cast

from google.cloud.bigquery_storage_v1 import types
from google.protobuf.message import Message
from google.rpc import status_pb2  # type: ignore[import-untyped]


class _Schema(Protocol):
    serialized_schema: bytes


class _Batch(Protocol):
    serialized_record_batch: bytes


class _Offset(Protocol):
    value: int


class ArrowData(Protocol):
    """AppendRowsRequest.ArrowData"""

    @property
    def writer_schema(self) -> _Schema: ...
    @property
    def rows(self) -> _Batch: ...


class AppendRequest(Protocol):
    """AppendRowsRequest"""

    write_stream: str

    @property
    def offset(self) -> _Offset: ...
    @property
    def arrow_rows(self) -> ArrowData: ...
    def HasField(self, field_name: str) -> bool: ...


class Named(Protocol):
    """GetWriteStreamRequest and FinalizeWriteStreamRequest."""

    name: str


class CreateRequest(Protocol):
    """CreateWriteStreamRequest, with the stream it asks for."""

    parent: str

    @property
    def write_stream(self) -> "_Wanted": ...


class _Wanted(Protocol):
    type_: int


class UpbClass(Protocol):
    """A generated message class."""

    def __call__(self, **fields: object) -> Message: ...
    def FromString(self, data: bytes) -> Message: ...


def upb(wrapper: object) -> UpbClass:
    """The class under a proto-plus class."""
    return cast(UpbClass, wrapper.pb())  # type: ignore[attr-defined]  # proto-plus has no types


APPEND_REQUEST = upb(types.AppendRowsRequest)
APPEND_RESPONSE = upb(types.AppendRowsResponse)
APPEND_RESULT = upb(types.AppendRowsResponse.AppendResult)
ROW_ERROR = upb(types.RowError)
STORAGE_ERROR = upb(types.StorageError)
WRITE_STREAM = upb(types.WriteStream)
GET_REQUEST = upb(types.GetWriteStreamRequest)
CREATE_REQUEST = upb(types.CreateWriteStreamRequest)
FINALIZE_REQUEST = upb(types.FinalizeWriteStreamRequest)
FINALIZE_RESPONSE = upb(types.FinalizeWriteStreamResponse)
COMMITTED = int(types.WriteStream.Type.COMMITTED)
FIELDS_ERROR = int(types.RowError.RowErrorCode.FIELDS_ERROR)


def status(code: int, message: str, storage_code: int = 0, entity: str = "") -> status_pb2.Status:
    """A google.rpc.Status with a StorageError in its details, where there is one."""
    made = status_pb2.Status(code=code, message=message)
    if storage_code:
        detail = STORAGE_ERROR(code=storage_code, entity=entity, error_message=message)
        made.details.add().Pack(detail)
    return made
