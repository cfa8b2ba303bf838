"""The agent's own HTTP server: `/healthz` (the loop turns) and `/status` (what it is doing).

Off unless `admin.listen` names an address. It tells nothing that applications wrote. Imported only
when it is wanted: an agent without it need not hold an HTTP server.
"""

import orjson
from aiohttp import web

from logship.pipeline import Pipeline
from logship.status import status


class Admin:
    def __init__(self, listen: str, pipeline: Pipeline) -> None:
        self._host, _, port = listen.rpartition(":")
        self._port = int(port)
        self._pipeline = pipeline
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/status", self._status)
        self._runner = web.AppRunner(app, access_log=None)

    async def start(self) -> None:
        """Raises OSError when the address cannot be used."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host.strip("[]") or None, self._port).start()

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _status(self, request: web.Request) -> web.Response:
        return web.Response(
            body=orjson.dumps(await status(self._pipeline)), content_type="application/json"
        )
