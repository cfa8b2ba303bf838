"""What the sink says of every row, against a server that misbehaves on request."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import orjson
import pytest
from aiohttp import web
from isal import igzip
from logship_gcp.cloud_logging import CloudLogging, CloudLoggingConfig

from logship.api import DELIVERED, Batch, Outcome, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import (
    cri,
    make_batch,
    make_context,
    rows_of,
    run_bounded,
)

Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]
PARTIAL = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"


class HangUp(Exception):
    """Break the connection instead of answering."""


class Server:
    """Keeps what it was sent, answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[Any] = []
        self.open = self.most_open = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers)
        raw = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            raw = igzip.decompress(raw)  # type: ignore[no-untyped-call]
        body = orjson.loads(raw)
        self.bodies.append(body)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            return await self.answer(body)
        except HangUp:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        finally:
            self.open -= 1

    def texts(self) -> list[str]:
        return [e["textPayload"] for body in self.bodies for e in body["entries"]]


@asynccontextmanager
async def started(answer: Answer, **options: Any) -> AsyncIterator[tuple[CloudLogging, Server]]:
    server = Server(answer)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v2/entries:write", server.handle)
    runner = web.AppRunner(app, auto_decompress=False, handler_cancellation=True,
                           access_log=None, shutdown_timeout=0.1)  # fmt: skip
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    chosen = {"project": "p-1", "location": "l-1", "cluster": "c-1", "endpoint": endpoint}
    sink = CloudLogging(msgspec.convert(chosen | options, CloudLoggingConfig), make_context())
    await sink.start()
    try:
        yield sink, server
    finally:
        await sink.close()
        sink.context.world.offload.close()
        await runner.cleanup()


def written(answer: Answer, batches: list[Batch], **options: Any) -> tuple[Outcome | Retry, Server]:
    async def run() -> tuple[Outcome | Retry, Server]:
        async with started(answer, **options) as (sink, server):
            try:
                return await sink.write(batches), server
            except Retry as retry:
                return retry, server

    return run_bounded(run())


async def fine(body: dict[str, Any]) -> web.Response:
    return web.json_response({})


def failing(status: int, message: str = "no", headers: dict[str, str] | None = None) -> Answer:
    async def answer(body: dict[str, Any]) -> web.Response:
        return error(status, message, headers=headers)

    return answer


def error(
    status: int, message: str, details: list[Any] | None = None, headers: Any = None
) -> web.Response:
    value = {"error": {"code": status, "message": message, "details": details or []}}
    return web.json_response(value, status=status, headers=headers)


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


def test_partial_errors_name_rows() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        errors = {
            "1": {"code": 3, "message": "bad entry"},
            "2": {"code": 7, "message": "may not"},
            "4": {"code": 8, "message": "too many"},
        }
        return error(400, "bad", [{"@type": PARTIAL, "logEntryErrors": errors}])

    batches = [make_batch(cri("a", "b"), key="x"), make_batch(cri("c", "d", "e"), key="y")]
    outcome, server = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1)]
    assert "bad entry" in outcome.refused[0].reason
    assert sorted((item.batch, tuple(item.rows or ())) for item in outcome.again) == [
        (1, (0,)), (1, (2,)),
    ]  # fmt: skip
    assert len(server.bodies) == 1


@pytest.mark.parametrize("poisoned", [0, 499, 500, 999])
def test_the_one_row_that_is_refused_without_a_name_is_found(poisoned: int) -> None:
    kept: set[str] = set()

    async def answer(body: dict[str, Any]) -> web.Response:
        texts = [entry["textPayload"] for entry in body["entries"]]
        if f"row {poisoned}." in texts:
            return error(400, "Invalid JSON payload received.")
        if not body.get("dryRun"):
            kept.update(texts)
        return web.json_response({})

    rows = [f"row {number}." for number in range(1000)]
    outcome, server = written(answer, [make_batch(cri(*rows))])
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, poisoned)]
    assert "Invalid JSON payload" in outcome.refused[0].reason
    assert outcome.again == ()
    assert kept == set(rows) - {f"row {poisoned}."}
    assert len(server.bodies) <= 2 + 2 * 10


def test_a_request_that_is_wrong_whatever_is_in_it_costs_no_row() -> None:
    outcome, server = written(failing(400, "no such project"), [make_batch(cri(*"abc"))])
    assert isinstance(outcome, Retry)
    assert "no such project" in outcome.reason
    assert [bool(body.get("dryRun")) for body in server.bodies] == [False, True]


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


def test_shared_requests_do_not_suspect_one_origin_for_another() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        bad = any(e["resource"]["labels"]["pod_name"] == "" for e in body["entries"])
        return error(400, "bad pod") if bad else web.json_response({})

    nameless = make_batch(cri("b", "c"), {"container": "x"}, key="y")
    batches = [make_batch(cri("a"), key="x"), nameless, make_batch(cri("d"), key="z")]
    outcome, _ = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert outcome.refused == ()
    assert {item.batch for item in outcome.again} == {1}
    assert all("whatever is in them" in item.reason for item in outcome.again)


def test_a_poisoned_row_of_a_shared_request_is_found() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        assert all("logName" in entry for entry in body["entries"])
        texts = [entry["textPayload"] for entry in body["entries"]]
        return error(400, "bad") if "poison" in texts else web.json_response({})

    batches = [make_batch(cri("a", "poison", "b"), key=key) for key in ("x", "y")]
    outcome, _ = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1), (1, 1)]
    assert outcome.again == ()


def test_dividing_ends_when_all_rows_are_refused() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return web.json_response({}) if body.get("dryRun") else error(400, "bad")

    outcome, server = written(answer, [make_batch(cri(*map(str, range(1000))))])
    assert isinstance(outcome, Outcome)
    again = [row for item in outcome.again for row in item.rows or ()]
    assert sorted([*again, *(row for _, row in rows_of(outcome.refused))]) == list(range(1000))
    assert outcome.refused
    assert len(server.bodies) <= 257


def test_trouble_in_the_middle_of_dividing_is_for_later() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        texts = [entry["textPayload"] for entry in body["entries"]]
        if "poison" in texts:
            return error(400, "bad")
        return error(503, "busy") if "d" in texts else web.json_response({})

    outcome, _ = written(answer, [make_batch(cri("a", "poison", "c", "d"))])
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1)]
    assert [(item.batch, item.rows) for item in outcome.again] == [(0, [2, 3])]


def test_a_request_that_is_too_large_is_halved() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return error(413, "too large") if len(body["entries"]) > 3 else web.json_response({})

    outcome, server = written(answer, [make_batch(cri(*"abcdefgh"))])
    assert outcome == DELIVERED
    assert sorted(len(body["entries"]) for body in server.bodies) == [2, 2, 2, 2, 4, 4, 8]


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
