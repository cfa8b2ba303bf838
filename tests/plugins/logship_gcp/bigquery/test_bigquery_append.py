"""Appending on a connection that breaks or is silent."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from logship_gcp.bigquery.append import Answer, Appender, Broken, request

from tests.plugins.logship_gcp.bigquery.append_server import (
    OTHER,
    RESPONSE,
    TABLE,
    Server,
    aborting,
    running,
    silence,
)

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
