"""Takes the place of Cloud Logging and notes when each row arrived: a process of its own.

A row's delay is the time its request had arrived whole less the time in the row, which its writer
took from the same clock. Kept are delays by namespace and a hash of each id, until a reset.

    POST /v2/entries:write   as Cloud Logging
    GET  /rows               how many rows came since the reset
    GET  /delays             per namespace: rows, percentiles; over all: different ids
    POST /reset              forget everything
"""

import asyncio
import sys
import time
from array import array
from calendar import timegm
from collections import defaultdict
from functools import lru_cache

import msgspec
import orjson
from aiohttp import web

from bench.delays import Delays, percentiles

_MAX_BODY = 32 << 20


class _Labels(msgspec.Struct):
    namespace_name: str = ""


class _Resource(msgspec.Struct):
    labels: _Labels


class _Entry(msgspec.Struct):
    insertId: str
    timestamp: str
    resource: _Resource | None = None


class _Write(msgspec.Struct):
    entries: list[_Entry]
    resource: _Resource | None = None


class Arrived(msgspec.Struct):
    """What came since the last reset."""

    rows: int
    distinct: int
    delays: dict[str, Delays]
    """By namespace."""


@lru_cache(maxsize=4096)
def _secs(text: str) -> int:
    return timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def time_ns(text: str) -> int:
    """Of an RFC 3339 time in UTC."""
    return _secs(text[:19]) * 10**9 + int(text[20:-1].ljust(9, "0"))


class Arrivals:
    """Delays and ids of the rows that came."""

    def __init__(self) -> None:
        self.rows = 0
        self._delays: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._ids = array("q")
        self._decoder = msgspec.json.Decoder(_Write)

    def take(self, body: bytes, at_ns: int) -> None:
        write = self._decoder.decode(body)
        shared = write.resource.labels.namespace_name if write.resource else ""
        for entry in write.entries:
            namespace = entry.resource.labels.namespace_name if entry.resource else shared
            self._delays[namespace].append(at_ns - time_ns(entry.timestamp))
        self._ids.extend([hash(entry.insertId) for entry in write.entries])
        self.rows += len(write.entries)

    def reset(self) -> None:
        self.rows = 0
        self._delays.clear()
        self._ids = array("q")

    def summary(self) -> Arrived:
        delays = {name: percentiles(found) for name, found in self._delays.items()}
        return Arrived(self.rows, len(set(self._ids)), delays)


def _app(arrivals: Arrivals) -> web.Application:
    async def write(request: web.Request) -> web.Response:
        body = await request.read()
        arrivals.take(body, time.time_ns())
        return web.json_response({})

    async def rows(request: web.Request) -> web.Response:
        return web.json_response(arrivals.rows)

    async def delays(request: web.Request) -> web.Response:
        return web.Response(body=msgspec.json.encode(arrivals.summary()))

    async def reset(request: web.Request) -> web.Response:
        arrivals.reset()
        return web.json_response({})

    app = web.Application(client_max_size=_MAX_BODY)
    app.add_routes([web.post("/v2/entries:write", write), web.get("/rows", rows)])
    app.add_routes([web.get("/delays", delays), web.post("/reset", reset)])
    return app


async def main() -> None:
    """Serve on a free port, said in the first line of stdout, until stdin ends."""
    runner = web.AppRunner(_app(Arrivals()), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(orjson.dumps(runner.addresses[0][1]).decode(), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
