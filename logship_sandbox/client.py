"""A small client of the sandbox's REST side, for tests, the demo and benchmarks.

It has no retry and hides no error, so that a test sees what a sender would see.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import orjson


@dataclass(frozen=True)
class Answer:
    """Status and JSON body."""

    status: int
    body: dict[str, object]

    @property
    def error(self) -> dict[str, object]:
        """Google's error object."""
        error = self.body["error"]
        assert isinstance(error, dict)
        return error

    @property
    def message(self) -> str:
        """The error's message."""
        return str(self.error["message"])

    @property
    def entries(self) -> list[dict[str, object]]:
        """What entries:list found."""
        entries = self.body.get("entries", [])
        assert isinstance(entries, list)
        return entries


class Rest:
    """Cloud Logging's REST calls and the sandbox's own, at `base` (http://host:port)."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def post(
        self, path: str, body: object, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """POST JSON; `body` as bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        async with self._session.post(self._base + path, data=raw, headers=headers) as response:
            return Answer(response.status, orjson.loads(await response.read()))

    async def write(self, body: object, headers: Mapping[str, str] | None = None) -> Answer:
        """entries:write."""
        return await self.post("/v2/entries:write", body, headers)

    async def list(self, filter: str = "", project: str = "p", **more: object) -> Answer:
        """One page of entries:list; `more` is pageSize, pageToken, orderBy."""
        request = {"resourceNames": [f"projects/{project}"], "filter": filter, **more}
        return await self.post("/v2/entries:list", request)

    async def get(self, path: str) -> bytes:
        """GET; the body as it is."""
        async with self._session.get(self._base + path) as response:
            return await response.read()

    async def delete(self, path: str) -> None:
        """DELETE."""
        async with self._session.delete(self._base + path) as response:
            await response.read()
