"""AppendRows on one connection: several requests in flight, multiplexed over tables.

Requests are answered in the order they were written. When the connection breaks, nobody knows what
became of the requests in flight: all of them fail and are sent again by their owners (at least
once; copies have the same insert_id). The next request opens a new connection.
https://cloud.google.com/bigquery/docs/write-api
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.cloud.bigquery_storage_v1 import types

from logship_gcp.bigquery.schema import TableName
from logship_gcp.pubsub.channel import Link
from logship_gcp.pubsub.wire import retry_delay_secs

METHOD = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
MAX_REQUEST_BYTES = 9_000_000
"""BigQuery takes less than 10 MB."""
MAX_IN_FLIGHT = 8

# Generated at run time by protobuf: there are no types to give them.
_REQUEST: Any = types.AppendRowsRequest.pb()
_RESPONSE: Any = types.AppendRowsResponse.pb()
_EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]


class Broken(Exception):
    """The rows of a request may be written or not; `error` is what gRPC says, if it does."""

    def __init__(self, reason: str, error: grpc.aio.AioRpcError | None = None) -> None:
        super().__init__(reason)
        self.error = error


@dataclass(frozen=True, slots=True)
class Answer:
    """What BigQuery says to one request. It wrote all rows, or none."""

    code: int
    """Of google.rpc.Code; 0 is OK."""
    message: str
    row_errors: Sequence[tuple[int, str]]
    """(row of the request, why): it may be taken when these rows are left out."""
    after: float | None = None
    """Seconds to wait, if BigQuery said so (RetryInfo)."""

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
    def __init__(self, link: Link, timeout_secs: float) -> None:
        self._link = link
        self._open = link.channel.stream_stream(METHOD, None, _RESPONSE.FromString)
        self._timeout = timeout_secs
        self._turns = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._writing = asyncio.Lock()
        self._call: Any = None
        self._waiting: deque[asyncio.Future[Answer]] = deque()
        self._readers: set[asyncio.Task[None]] = set()

    async def append(self, table: TableName, body: bytes) -> Answer:
        """Raises `Broken` when nobody knows whether the rows were written, and Retry."""
        async with self._turns:
            answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(self._timeout):
                    await self._write(table, body, answer)
                    return await answer
            except TimeoutError:
                if self._call is not None:
                    self._call.cancel()  # answers that come later could not be told apart
                raise Broken(f"no answer in {self._timeout:g} s") from None
            except grpc.aio.AioRpcError as error:
                self._link.failed(error)
                raise Broken(error.details() or "", error) from error
            finally:
                answer.cancel()

    async def _write(self, table: TableName, body: bytes, answer: "asyncio.Future[Answer]") -> None:
        async with self._writing:
            if self._call is None or self._call.done():
                metadata = await self._link.metadata("write_stream", table.stream)
                self._begin(metadata)
            self._waiting.append(answer)
            # When the call has ended, its reader tells every request why.
            with suppress(asyncio.InvalidStateError):
                await self._call.write(body)

    def _begin(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._call = self._open(None, metadata=metadata)
        self._waiting = deque()
        reader = asyncio.get_running_loop().create_task(_read(self._call, self._waiting))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def close(self) -> None:
        if self._call is not None:
            self._call.cancel()
        if self._readers:
            await asyncio.wait(self._readers)
        self._call = None  # gRPC keeps the connection as long as somebody knows the call


async def _read(call: Any, waiting: "deque[asyncio.Future[Answer]]") -> None:
    """Give each request its answer, and all that are left the reason why there is none."""
    error: Exception = Broken("the server ended the connection")
    try:
        while (response := await call.read()) is not _EOF:
            answer = waiting.popleft() if waiting else None
            if answer is not None and not answer.done():
                answer.set_result(_answer(response))
    except grpc.aio.AioRpcError as failed:
        error = failed
    except asyncio.CancelledError:  # grpc.aio raises it for a call that we cancelled
        error = Broken("the connection was given up")
    for answer in waiting:
        if not answer.done():
            answer.set_exception(error)
    waiting.clear()


def _answer(response: Any) -> Answer:
    errors = [(found.index, found.message) for found in response.row_errors]
    error = response.error
    after = retry_delay_secs(error.SerializeToString()) if error.details else None
    return Answer(error.code, error.message, errors, after)
