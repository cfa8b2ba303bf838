"""AppendRows on one connection: several requests in flight, multiplexed over tables.

Requests are answered in the order they were written. When the connection breaks, nobody knows what
became of the requests in flight: all of them fail and are sent again by their owners (at least
once; copies have the same insert_id). The next request opens a new connection.
https://cloud.google.com/bigquery/docs/write-api
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.cloud.bigquery_storage_v1 import types

from logship_gcp.bigquery.schema import TableName
from logship_gcp.pubsub.channel import routing

METHOD = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
MAX_REQUEST_BYTES = 9_000_000
"""BigQuery takes less than 10 MB."""
MAX_IN_FLIGHT = 8

# Generated at run time by protobuf: there are no types to give them.
_REQUEST: Any = types.AppendRowsRequest.pb()
_RESPONSE: Any = types.AppendRowsResponse.pb()
_EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Answer:
    """What BigQuery says to one request. It wrote all rows, or none."""

    code: int
    """Of google.rpc.Code; 0 is OK."""
    message: str
    row_errors: Sequence[tuple[int, str]]
    """(row of the request, why): it may be taken when these rows are left out."""

    @property
    def ok(self) -> bool:
        return self.code == 0 and not self.row_errors


def request(table: TableName, schema: bytes, rows: bytes) -> bytes:
    """An AppendRowsRequest that needs nothing of the requests before it."""
    made = _REQUEST(write_stream=table.stream, trace_id="logship")
    made.arrow_rows.writer_schema.serialized_schema = schema
    made.arrow_rows.rows.serialized_record_batch = rows
    encoded: bytes = made.SerializeToString()
    return encoded


class Appender:
    def __init__(self, opened: grpc.aio.Channel, timeout_secs: float) -> None:
        self._open = opened.stream_stream(METHOD, None, _RESPONSE.FromString)
        self._timeout = timeout_secs
        self._turns = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._writing = asyncio.Lock()
        self._call: Any = None
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._reader: asyncio.Task[None] | None = None

    async def append(self, table: TableName, body: bytes) -> Answer:
        """Raises grpc.aio.AioRpcError when the connection broke, TimeoutError when it is silent."""
        async with self._turns:
            answer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(self._timeout):
                    call = await self._write(table, body, answer)
                    return await answer
            except TimeoutError:
                call.cancel()  # what comes after it on this connection cannot be told apart
                raise

    async def _write(
        self, table: TableName, body: bytes, answer: "asyncio.Future[Answer]"
    ) -> Any:
        async with self._writing:
            if self._call is None or self._call.done():
                self._begin(table)
            self._waiting.append(answer)
            await self._call.write(body)
            return self._call

    def _begin(self, table: TableName) -> None:
        self._call = self._open(None, metadata=routing("write_stream", table.stream))
        self._waiting = deque()
        self._reader = asyncio.get_running_loop().create_task(
            self._read(self._call, self._waiting)
        )

    async def close(self) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._reader is not None:
            await asyncio.wait([self._reader])
