"""A Cloud Logging that misbehaves on request, and the sink that writes to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import orjson
from aiohttp import web
from isal import igzip
from logship_gcp.cloud_logging import CloudLogging, CloudLoggingConfig

from logship.api import Batch, Outcome, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import (
    make_context,
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
