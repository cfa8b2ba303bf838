"""Appending on a connection that breaks, is silent, or names bad rows one after the other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import grpc.aio
import pyarrow as pa
import pytest
from google.cloud.bigquery_storage_v1 import types
from logship_gcp.appeals import Appeals
from logship_gcp.bigquery.append import METHOD, Answer, Appender, Broken, request
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.parcels import Parcel
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.writing import Failed, Writer
from logship_gcp.pubsub.channel import Endpoint, Link

from logship.api import Refused
from logship.testing import START_NS, context, texts_batch

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


BODY = request(TABLE, b"schema", b"rows")
FINE = Answer(0, "", [])


def test_requests_of_several_tables_share_a_connection() -> None:
    server = Server()

    async def use(appender: Appender) -> list[Answer]:
        other = request(OTHER, b"schema", b"rows")
        calls = [appender.append(TABLE, BODY), appender.append(OTHER, other)] * 1
        return await asyncio.gather(*calls, *(appender.append(TABLE, BODY) for _ in range(20)))

    assert running(server, use) == [FINE] * 22
    assert server.connections == 1
    assert {found.write_stream for found in server.requests} == {TABLE.stream, OTHER.stream}
    assert all(found.arrow_rows.writer_schema.serialized_schema for found in server.requests)


def test_when_the_connection_breaks_all_in_flight_fail_and_the_next_opens_another() -> None:
    server = Server(aborting(grpc.StatusCode.UNAVAILABLE))

    async def use(appender: Appender) -> None:
        calls = [appender.append(TABLE, BODY) for _ in range(5)]
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(found[0], Broken)
        assert await appender.append(TABLE, BODY) == FINE

    running(server, use)
    assert server.connections >= 2


def test_a_silent_server_is_given_up_and_the_next_request_is_answered() -> None:
    server = Server(silence)

    async def use(appender: Appender) -> None:
        with pytest.raises(Broken, match=r"no answer in 0\.3 s"):
            await appender.append(TABLE, BODY)
        assert await appender.append(TABLE, BODY) == FINE

    running(server, use, secs=0.3)
    assert server.connections == 2


def test_a_write_that_is_given_up_does_not_shift_the_answers_of_others() -> None:
    release = asyncio.Event()

    async def late(request: Any, call: Any) -> Any:
        await release.wait()
        return RESPONSE(error={"code": 8, "message": "for the one that left"})

    server = Server(late)

    async def use(appender: Appender) -> None:
        first = asyncio.ensure_future(appender.append(TABLE, BODY))
        second = asyncio.ensure_future(appender.append(TABLE, BODY))
        while not server.requests:
            await asyncio.sleep(0.001)
        first.cancel()
        release.set()
        assert await second == FINE

    running(server, use)


def parcel(texts: list[str]) -> Parcel:
    found = convert(texts_batch(texts), range(len(texts)), Extractor(), START_NS).taken[0]
    return Parcel(TABLE, found.columns, [(0, row) for row in found.rows])


def written(server: Server, texts: list[str]) -> Any:
    async def use(appender: Appender) -> Any:
        tested = context()
        try:
            return await Writer(appender, None, Appeals(tested)).write(parcel(texts))
        finally:
            tested.world.offload.close()

    return running(server, use)


def test_bad_rows_are_left_out_until_the_others_are_durable() -> None:
    """BigQuery says itself that its list of bad rows may not be complete."""
    server = Server(refusing(3, 1), refusing(3, 2, 0))
    found = written(server, ["a", "b", "c", "d", "e"])
    assert sorted((refused.row, refused.reason) for refused in found) == [
        (0, "row 0 is bad"), (1, "row 1 is bad"), (3, "row 2 is bad"),
    ]  # fmt: skip
    assert all(isinstance(refused, Refused) for refused in found)
    assert server.texts() == [["a", "b", "c", "d", "e"], ["a", "c", "d", "e"], ["c", "e"]]


def test_when_all_rows_are_bad_nothing_is_sent_again() -> None:
    server = Server(refusing(3, 0, 1))
    assert len(written(server, ["a", "b"])) == 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("RESOURCE_EXHAUSTED", "so it is"),
        ("PERMISSION_DENIED", "so it is; grant roles/bigquery.dataEditor"),
        ("NOT_FOUND", "so it is; create it, or set create: true"),
    ],
)
def test_what_concerns_no_row_comes_again_with_advice(code: str, advice: str) -> None:
    status = grpc.StatusCode[code]
    for server in (Server(refusing(status.value[0])), Server(aborting(status))):
        [failed] = written(server, ["a", "b"])
        assert isinstance(failed, Failed)
        assert failed.retry.reason.startswith(f"append to p.logs.app: {code}: {advice}")
        assert len(failed.parcel.rows) == 2


@pytest.mark.parametrize("rows", [(), (99,)])
def test_requests_that_are_all_refused_without_a_row_come_again_with_advice(
    rows: tuple[int, ...],
) -> None:
    server = Server(*[refusing(3, *rows)] * 100)
    found = written(server, list("abcdefghijklmnopqrstuvwxyz"))
    assert all(isinstance(failed, Failed) for failed in found)
    assert sum(len(failed.parcel.rows) for failed in found) == 26
    assert {failed.retry.reason for failed in found} == {
        "append to p.logs.app: INVALID_ARGUMENT: so it is; does the table have all columns that "
        "`create: true` makes?"
    }
    assert len(server.requests) < 30


def test_a_connection_that_ends_for_a_request_tells_nothing_of_its_rows() -> None:
    [failed] = written(Server(aborting(grpc.StatusCode.INVALID_ARGUMENT)), ["a", "b"])
    assert isinstance(failed, Failed)
    assert "does the table have all columns" in failed.retry.reason


def test_the_columns_of_a_request_are_those_of_the_table() -> None:
    server = Server()
    assert written(server, ["a"]) == []
    schema = server.requests[0].arrow_rows.writer_schema.serialized_schema
    assert pa.ipc.read_schema(pa.py_buffer(schema)) == SCHEMA
