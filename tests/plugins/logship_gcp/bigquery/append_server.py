"""A server of AppendRows that answers as it is told, and an Appender that talks to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pyarrow as pa
from google.cloud.bigquery_storage_v1 import types
from logship_gcp.bigquery.append import METHOD, Appender
from logship_gcp.bigquery.schema import TableName
from logship_gcp.pubsub.channel import Endpoint, Link

from logship.testing import context

TABLE = TableName("p", "logs", "app")
OTHER = TableName("p", "logs", "other")
RESPONSE: Any = types.AppendRowsResponse.pb()
REQUEST: Any = types.AppendRowsRequest.pb()
Step = Callable[[Any, Any], Awaitable[Any]]


class Server:
    """Does one step for each request, then answers OK."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.requests: list[Any] = []
        self.connections = 0

    async def append(self, requests: AsyncIterator[Any], call: Any) -> AsyncIterator[Any]:
        self.connections += 1
        async for found in requests:
            self.requests.append(found)
            step = self.steps.pop(0) if self.steps else fine
            yield await step(found, call)

    def texts(self) -> list[list[str]]:
        """Per request the messages of its rows."""
        found = []
        for each in self.requests:
            rows = each.arrow_rows
            schema = pa.ipc.read_schema(pa.py_buffer(rows.writer_schema.serialized_schema))
            body = pa.py_buffer(rows.rows.serialized_record_batch)
            found.append(pa.ipc.read_record_batch(body, schema)["message"].to_pylist())
        return found


async def fine(request: Any, call: Any) -> Any:
    return RESPONSE(write_stream=request.write_stream)


async def silence(request: Any, call: Any) -> Any:
    await asyncio.Event().wait()


def aborting(code: grpc.StatusCode) -> Step:
    async def step(request: Any, call: Any) -> Any:
        await call.abort(code, "so it is")

    return step


def refusing(code: int, *rows: int) -> Step:
    async def step(request: Any, call: Any) -> Any:
        errors = [{"index": row, "message": f"row {row} is bad"} for row in rows]
        return RESPONSE(error={"code": code, "message": "so it is"}, row_errors=errors)

    return step


def running(server: Server, use: Callable[[Appender], Awaitable[Any]], secs: float = 10) -> Any:
    async def main() -> Any:
        served = grpc.aio.server()
        handler = grpc.stream_stream_rpc_method_handler(
            server.append, REQUEST.FromString, RESPONSE.SerializeToString
        )
        service, method = METHOD.strip("/").split("/")
        served.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {method: handler})]
        )
        port = served.add_insecure_port("127.0.0.1:0")
        await served.start()
        tested = context("bq")
        link = await Link.open(Endpoint(f"127.0.0.1:{port}", plain=True), tested.world, "sinks.bq")
        appender = Appender(link, secs)
        try:
            return await asyncio.wait_for(use(appender), 20)
        finally:
            await appender.close()
            await link.close()
            await served.stop(None)
            tested.world.offload.close()

    return asyncio.run(main())
