"""What the sink says of a request, against a server that misbehaves on request."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from logship.api import DELIVERED, Outcome, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import (
    cri,
    make_batch,
    run_bounded,
)
from tests.plugins.logship_gcp.cloud_logging.misbehaving import (
    HangUp,
    error,
    failing,
    fine,
    started,
    written,
)


def test_rows_are_written() -> None:
    outcome, server = written(fine, [make_batch(cri("a", "b"))])
    assert outcome == DELIVERED
    assert server.texts() == ["a", "b"]
    assert server.bodies[0]["partialSuccess"] is True
    assert "Authorization" not in server.headers[0]


def test_no_batches_are_no_requests() -> None:
    outcome, server = written(fine, [make_batch(cri("a")).keep([False])])
    assert (outcome, server.bodies) == (DELIVERED, [])


def test_compressed_requests_say_so() -> None:
    outcome, server = written(fine, [make_batch(cri("a"))], gzip=True)
    assert outcome == DELIVERED
    assert server.texts() == ["a"]
    assert server.headers[0]["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 302, 418])
def test_a_status_that_may_pass_is_a_retry(status: int) -> None:
    outcome, server = written(failing(status, "busy"), [make_batch(cri("a"))])
    assert isinstance(outcome, Retry)
    assert "busy" in outcome.reason
    assert str(status) in outcome.reason
    assert len(server.bodies) == 1


def test_retry_after_is_told() -> None:
    outcome, _ = written(failing(429, headers={"Retry-After": "7"}), [make_batch(cri("a"))])
    assert isinstance(outcome, Retry)
    assert outcome.after == 7


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "service account"), (403, "roles/logging.logWriter on project p-1"), (404, "`project`")],
)
def test_what_a_person_must_grant_is_a_retry_that_says_so(status: int, hint: str) -> None:
    outcome, _ = written(failing(status), [make_batch(cri("a", "b"))])
    assert isinstance(outcome, Retry)
    assert hint in outcome.reason


def test_an_error_that_is_not_googles_is_a_retry() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return web.Response(status=502, body=b"<html>\xffproxy</html>")

    outcome, _ = written(answer, [make_batch(cri("a"))])
    assert isinstance(outcome, Retry)
    assert "proxy" in outcome.reason


def test_a_token_that_is_not_there_is_a_retry() -> None:
    class NoToken:
        async def header(self) -> str | None:
            raise Retry("no token")

    async def run() -> None:
        async with started(fine) as (sink, server):
            assert sink._transport is not None
            sink._transport._authorization = NoToken()  # type: ignore[assignment]
            with pytest.raises(Retry, match="no token"):
                await sink.write([make_batch(cri("a"))])
            assert server.bodies == []

    run_bounded(run())


def test_a_server_that_never_answers_is_a_retry() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    outcome, _ = written(answer, [make_batch(cri("a"))], request_timeout_secs=0.2)
    assert isinstance(outcome, Retry)
    assert "did not answer in 0.2 s" in outcome.reason


def test_a_connection_that_breaks_is_a_retry() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        raise HangUp

    outcome, server = written(answer, [make_batch(cri("a"))])
    assert isinstance(outcome, Retry)
    assert "cannot be reached" in outcome.reason
    assert server.texts() == ["a"]


def test_a_server_that_is_not_there_is_a_retry() -> None:
    outcome, _ = written(fine, [make_batch(cri("a"))], endpoint="http://127.0.0.1:9")
    assert isinstance(outcome, Retry)
    assert "127.0.0.1:9 cannot be reached" in outcome.reason
    assert "ssl" not in outcome.reason


def test_one_request_that_fails_costs_only_its_own_rows() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return error(503, "busy") if "resource" in body else web.json_response({})

    many = make_batch(cri(*["x" * 1000] * 300), key="many")
    few = [make_batch(cri("a"), key=key) for key in "ab"]
    outcome, _ = written(answer, [few[0], many, few[1]])
    assert isinstance(outcome, Outcome)
    assert outcome.refused == ()
    assert [(item.batch, item.rows) for item in outcome.again] == [(1, list(range(300)))]


def test_requests_go_out_at_once_but_not_too_many() -> None:
    async def run() -> int:
        busy = asyncio.Event()

        async def answer(body: dict[str, Any]) -> web.Response:
            if server.open == 2:
                busy.set()
            await busy.wait()
            return web.json_response({})

        async with started(answer, concurrency=2) as (sink, server):
            batches = [make_batch(cri(*["x" * 1000] * 300), key=f"k{n}") for n in range(6)]
            assert await sink.write(batches) == DELIVERED
            return server.most_open

    assert run_bounded(run()) == 2
