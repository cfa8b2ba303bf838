"""The sandbox's own HTTP endpoints, beside Cloud Logging's: faults, counts, all entries.

POST   /sandbox/faults   {"service": "logging" | "pubsub" | "all", <fields of faults.Fault>}
GET    /sandbox/faults   the faults in force
DELETE /sandbox/faults   everything works again
GET    /sandbox/stats    per service: requests, entries, refused, bytes, errors by code
GET    /sandbox/entries  every log entry as JSON lines, copies included, in order of arrival

Faults never touch these.
"""

import dataclasses
from collections.abc import Mapping

import orjson
from aiohttp import web

from logship_sandbox.faults import SERVICES, Counts, Fault, Faults
from logship_sandbox.logging_api import LoggingApi
from logship_sandbox.logging_body import ApiError, json_response

_LINES_BYTES = 1 << 16


class Admin:
    """Handlers over what the services already have."""

    def __init__(self, faults: Faults, counts: Mapping[str, Counts], logging: LoggingApi) -> None:
        self._faults = faults
        self._counts = counts
        self._logging = logging

    def routes(self) -> list[web.RouteDef]:
        """For aiohttp's router."""
        return [
            web.post("/sandbox/faults", self._set),
            web.get("/sandbox/faults", self._show),
            web.delete("/sandbox/faults", self._clear),
            web.get("/sandbox/stats", self._stats),
            web.get("/sandbox/entries", self._entries),
        ]

    async def _set(self, request: web.Request) -> web.Response:
        try:
            value: object = orjson.loads(await request.read())
            if not isinstance(value, dict):
                raise ValueError(f"a fault is an object, not {value!r}")
            service = value.pop("service", "all")
            fault = Fault.from_json(value)
            for name in SERVICES if service == "all" else (str(service),):
                self._faults.set(name, fault)
        except ValueError as error:
            return ApiError(400, str(error)).response()
        return await self._show(request)

    async def _show(self, _: web.Request) -> web.Response:
        faults = {name: dataclasses.asdict(self._faults.current(name)) for name in SERVICES}
        return json_response(faults)

    async def _clear(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return json_response({})

    async def _stats(self, _: web.Request) -> web.Response:
        stats = {name: counts.as_json() for name, counts in self._counts.items()}
        stats["logging"]["stored"] = len(self._logging.store)
        ids = self._logging.discarded_ids
        if ids:
            stats["logging"]["distinct_ids"] = len(set(ids))
        return json_response(stats)

    async def _entries(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        lines = bytearray()
        for entry in self._logging.store.entries():
            lines += orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
            if len(lines) > _LINES_BYTES:
                await response.write(bytes(lines))
                lines.clear()
        await response.write(bytes(lines))
        return response
