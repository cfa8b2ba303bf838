"""The agent's own HTTP server.

    /healthz   200: the loop turns. It says nothing about sinks: they must not restart the agent.
    /readyz    200: all sources have looked at what is there; 503 with those that have not. Also
               while another agent has the state directory: it ends only once this one is ready.
    /status    what it is doing, JSON
    /metrics   the same as numbers, in Prometheus' text format
    /-/reload  POST: read the configuration file again; 403 unless `admin.reload` allows it

Off unless `admin.listen` names an address. It tells nothing that applications wrote, takes no input
and is asked by whoever reaches it: answers to `/metrics` are kept for a second, so that asking more
often costs nothing. Imported only when it is wanted: an agent without it need not hold an HTTP
server.
"""

import asyncio
import errno
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from logship.metrics.text import CONTENT_TYPE, metrics
from logship.pipeline import Pipeline
from logship.reload.reloader import Answer
from logship.status import status

KEPT_SECS = 1.0
Reload = Callable[[], Awaitable[Answer]]


class Admin:
    def __init__(self, listen: str, pipeline: Pipeline, reload: Reload | None = None) -> None:
        self._host, _, port = listen.rpartition(":")
        self._port = int(port)
        self._pipeline, self._reload = pipeline, reload
        self._metrics = Kept(lambda: metrics(pipeline), pipeline.world.clock.now)
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/status", self._status)
        app.router.add_get("/metrics", self._scraped)
        app.router.add_post("/-/reload", self._reloaded)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Raises OSError when the address cannot be used, and says what to do."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host.strip("[]") or None, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise OSError(unusable(f"{self._host}:{self._port}", error)) from error

    @property
    def port(self) -> int:
        """Where it listens: of `:0`, what the kernel has chosen."""
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        untold = self._pipeline.origins.absent.untold(self._pipeline.sources)
        if untold:
            text = f"not ready: these sources have not had their first look: {', '.join(untold)}\n"
            return web.Response(status=503, text=text)
        return web.Response(text="ok\n")

    async def _status(self, request: web.Request) -> web.Response:
        return web.Response(
            body=orjson.dumps(await status(self._pipeline)), content_type="application/json"
        )

    async def _reloaded(self, request: web.Request) -> web.Response:
        if self._reload is None or not self._pipeline.config.admin.reload:
            text = "not allowed: set `admin: {reload: true}`; the file is watched without it\n"
            return web.Response(status=403, text=text)
        answer = await asyncio.shield(self._reload())
        return web.Response(
            status=400 if answer.result == "refused" else 200, text=f"{answer.text}\n"
        )

    async def _scraped(self, request: web.Request) -> web.Response:
        body = (await self._metrics.get()).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


def unusable(listen: str, error: OSError) -> str:
    """What is wrong with the address of the option, for a person."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"admin.listen: {listen} is in use, perhaps by another agent: end that one, or give "
            "this one another port"
        )
    why = f"({error.strerror or error}): choose another address"
    return f"admin.listen: cannot listen on {listen} {why}"


class Kept:
    """A text that is made at most once in `KEPT_SECS`, however many ask for it at once."""

    def __init__(self, make: Callable[[], Awaitable[str]], now: Callable[[], float]) -> None:
        self._make, self._now = make, now
        self._text, self._made_at = "", float("-inf")
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        async with self._lock:
            if self._now() - self._made_at >= KEPT_SECS:
                self._text = await self._make()
                self._made_at = self._now()
            return self._text
