"""One AppendRows connection: which stream and schema each request means, and what may follow what.

Pure: it takes requests and says what to append, or why not. The rules are the proto's: the first
request names the stream and brings the writer schema; a request that changes the stream brings the
schema again; once a connection has written to two streams, every request names its stream; no
offset on `_default`. https://cloud.google.com/bigquery/docs/write-api
"""

from dataclasses import dataclass

import pyarrow as pa
from grpc import StatusCode

from logship_sandbox.bigquery_protos import AppendRequest, ArrowData
from logship_sandbox.bigquery_resources import TableReference

# The proto of 2.43.0 says "less than 20 MB"; the documentation, and most clients, 10 MB.
MAX_REQUEST_BYTES = 10_000_000
_NOT_ARROW = (pa.ArrowException, OSError, EOFError, ValueError)


@dataclass(frozen=True)
class Refused(Exception):
    """A request that is not done. `ends` the connection, or is answered in the response."""

    code: StatusCode
    message: str
    storage_code: int = 0  # of StorageError, in the details
    ends: bool = False


@dataclass(frozen=True)
class StreamName:
    """projects/P/datasets/D/tables/T/streams/S"""

    table: TableReference
    id: str

    @classmethod
    def parse(cls, name: str) -> "StreamName":
        """Refused INVALID_ARGUMENT for anything else."""
        parts = name.split("/")
        if parts[0::2] != ["projects", "datasets", "tables", "streams"] or not all(parts):
            raise Refused(
                StatusCode.INVALID_ARGUMENT,
                f"Invalid stream name. Entity: {name!r}. It must be "
                "projects/PROJECT/datasets/DATASET/tables/TABLE/streams/STREAM",
                ends=True,
            )
        return cls(TableReference(parts[1], parts[3], parts[5]), parts[7])

    @property
    def is_default(self) -> bool:
        return self.id == "_default"

    def __str__(self) -> str:
        ref = self.table
        path = f"projects/{ref.project_id}/datasets/{ref.dataset_id}/tables/{ref.table_id}"
        return f"{path}/streams/{self.id}"


@dataclass(frozen=True)
class Append:
    """What one request wants."""

    stream: StreamName
    offset: int | None
    batch: pa.RecordBatch


class Connection:
    """The state of one AppendRows call."""

    def __init__(self) -> None:
        self._stream: StreamName | None = None
        self._schema: pa.Schema | None = None
        self._multiplexed = False

    def read(self, request: AppendRequest, size: int) -> Append:
        """The next request, of `size` bytes on the wire; raises Refused."""
        if size >= MAX_REQUEST_BYTES:
            raise Refused(
                StatusCode.INVALID_ARGUMENT,
                f"AppendRowsRequest is too large: {size} bytes, less than {MAX_REQUEST_BYTES} "
                "are allowed. Send fewer rows at once.",
            )
        stream = self._next_stream(request.write_stream)
        arrow = self._arrow(request)
        offset = request.offset.value if request.HasField("offset") else None
        if offset is not None and stream.is_default:
            raise Refused(
                StatusCode.INVALID_ARGUMENT, f"Offset is not allowed on the default stream {stream}"
            )
        return Append(stream, offset, self._batch(arrow))

    def _next_stream(self, name: str) -> StreamName:
        if not name:
            if self._stream is None or self._multiplexed:
                raise Refused(
                    StatusCode.INVALID_ARGUMENT,
                    "write_stream is missing: the first request must name it, and every request "
                    "of a connection that writes to more than one stream.",
                    ends=True,
                )
            return self._stream
        stream = StreamName.parse(name)
        if self._stream is not None and stream != self._stream:
            self._multiplexed = True
            self._schema = None
        self._stream = stream
        return stream

    def _arrow(self, request: AppendRequest) -> ArrowData:
        if request.HasField("proto_rows"):
            raise Refused(
                StatusCode.UNIMPLEMENTED, "The sandbox takes arrow_rows, not proto_rows.", ends=True
            )
        arrow = request.arrow_rows
        serialized = arrow.writer_schema.serialized_schema
        if serialized:
            try:
                self._schema = pa.ipc.read_schema(pa.py_buffer(serialized))
            except _NOT_ARROW as error:
                raise _unreadable("writer_schema", error) from None
        return arrow

    def _batch(self, arrow: ArrowData) -> pa.RecordBatch:
        if self._schema is None:
            raise Refused(
                StatusCode.INVALID_ARGUMENT,
                "arrow_rows.writer_schema is missing: the first request to a stream, and the "
                "first after another stream, must bring it.",
            )
        serialized = arrow.rows.serialized_record_batch
        try:
            return pa.ipc.read_record_batch(pa.py_buffer(serialized), self._schema)
        except _NOT_ARROW as error:
            raise _unreadable("rows.serialized_record_batch", error) from None


def _unreadable(what: str, error: Exception) -> Refused:
    return Refused(StatusCode.INVALID_ARGUMENT, f"arrow_rows.{what} is not Arrow IPC: {error}")
