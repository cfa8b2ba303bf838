"""Metadata of this node's pods from the API server: a list, then a watch, over and over.

One list with `resourceVersion=0` (from the server's memory: 1.5 ms, and 200 agents may start at
once), then a watch from its version. However the watch ends (410 Gone, the server's own time limit,
a lost connection, silence although bookmarks come every minute) the answer is the same: list again,
after a pause with jitter that grows while nothing works. Token and certificates are read for every
round, since both rotate. Nothing here ends the agent: without the API logs are shipped with what
is known. One line of log when it fails, one when it works again.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import random
from typing import TYPE_CHECKING

import msgspec

from logship.api import Context
from logship_tail.pod_events import Lines, PodEvent, PodList
from logship_tail.pods import Pods

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

MAX_LIST_BYTES = 64 * 1024 * 1024
MAX_TOKEN_BYTES = 64 * 1024
_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_WATCH = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
_ADVICE = {
    401: "the token of the service account is not accepted",
    403: "the service account needs get, list and watch on pods (ClusterRole of the DaemonSet)",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Whom to ask, and as whom."""

    server: str
    token_path: str
    ca_path: str


@dataclass(frozen=True, slots=True)
class Timing:
    answer_secs: float = 30.0
    silence_secs: float = 180.0
    """Bookmarks come about every minute."""
    pause_secs: float = 1.0
    max_pause_secs: float = 60.0
    healthy_secs: float = 30.0
    """A watch that lived so long was no failure."""


class Failed(Exception):
    """This round is over, and somebody may have to do something; the reason."""


class Gone(Exception):
    """The version to watch from is too old: nobody's fault."""


def pause(failures: int, timing: Timing, chance: float) -> float:
    """Seconds before the next round; `chance` in [0, 1) keeps agents apart."""
    longest = min(timing.pause_secs * 2.0 ** min(failures, 16), timing.max_pause_secs)
    return longest * (0.5 + chance / 2)


class PodsFromApi:
    def __init__(self, account: Account, context: Context, timing: Timing | None = None) -> None:
        self._account = account
        self._context = context
        self._timing = timing or Timing()
        self._list = msgspec.json.Decoder(PodList)
        self._event = msgspec.json.Decoder(PodEvent)
        self._failing = ""

    async def run(self, pods: Pods) -> None:
        """Until cancelled."""
        clock = self._context.world.clock
        failures = 0
        while True:
            began = clock.now()
            try:
                await self._round(pods)
            except Failed as failed:
                self._tell_failure(str(failed))
            pods.forget_old()
            lived = clock.now() - began >= self._timing.healthy_secs
            failures = 0 if lived else failures + 1
            await clock.sleep(pause(failures, self._timing, random()))  # noqa: S311 (jitter)

    async def probe(self) -> int:
        """List once: how many pods this node has. Raises Failed."""
        pods = Pods(self._context.world.clock, 0.0, lambda: None)
        await self._round(pods, watch=False)
        return len(pods)

    async def _round(self, pods: Pods, *, watch: bool = True) -> None:
        """List, then watch until the watch ends. Raises Failed."""
        import aiohttp

        try:
            async with self._session() as session:
                version = await self._read_list(session, pods)
                if watch:
                    await self._read_watch(session, pods, version)
        except Gone:
            return
        except TimeoutError as error:
            raise Failed("the API server does not answer") from error
        except (OSError, ValueError, aiohttp.ClientError) as error:
            # ValueError: what msgspec and Lines say; OSError: also files that cannot be read
            raise Failed(str(error) or type(error).__name__) from error

    async def _read_list(self, session: "ClientSession", pods: Pods) -> str:
        """The version from which to watch."""
        query = {"resourceVersion": "0"}
        async with self._get(session, query, _LIST, self._timing.answer_secs) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_LIST_BYTES:
                    raise Failed(f"the list of pods has more than {MAX_LIST_BYTES} bytes")
        found = self._list.decode(body)
        pods.replace(found.pods())
        return found.metadata.resource_version

    async def _read_watch(self, session: "ClientSession", pods: Pods, version: str) -> None:
        import aiohttp

        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
        lines = Lines()
        try:
            async with self._get(session, query, _WATCH, None) as response:
                self._tell_success(len(pods))
                async for chunk in response.content.iter_any():
                    for line in lines.feed(chunk):
                        _apply(self._event.decode(line), pods)
        except (TimeoutError, aiohttp.ClientError):
            return  # silence, or a lost connection: if there is more to it, the next list fails

    @asynccontextmanager
    async def _session(self) -> AsyncIterator["ClientSession"]:
        import aiohttp

        world = self._context.world
        token = world.disk.read_text(self._account.token_path, MAX_TOKEN_BYTES).strip()
        tls = await world.offload.run(ssl.create_default_context, cafile=self._account.ca_path)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=2),
            headers={"Authorization": f"Bearer {token}", "User-Agent": "logship"},
        ) as session:
            yield session

    @asynccontextmanager
    async def _get(
        self, session: "ClientSession", query: dict[str, str], accept: str, total: float | None
    ) -> AsyncIterator["ClientResponse"]:
        import aiohttp

        timing = self._timing
        async with session.get(
            f"{self._account.server}/api/v1/pods",
            params={"fieldSelector": f"spec.nodeName={self._context.node}", **query},
            headers={"Accept": accept},
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=total, connect=timing.answer_secs, sock_read=timing.silence_secs
            ),
        ) as response:
            if response.status == 410:
                raise Gone
            if response.status != 200:
                said = (await response.content.read(1000)).decode(errors="replace")
                advice = _ADVICE.get(response.status, said)
                raise Failed(f"the API server answers {response.status}: {advice}")
            yield response

    def _tell_failure(self, reason: str) -> None:
        if reason != self._failing:
            self._context.log.warning(
                "metadata of pods is out of date: %s: %s", self._account.server, reason
            )
        self._failing = reason

    def _tell_success(self, count: int) -> None:
        if self._failing:
            self._context.log.info("metadata of pods is up to date again: %d pods", count)
        self._failing = ""


def _apply(event: PodEvent, pods: Pods) -> None:
    """Raises Gone, Failed where the watch cannot go on."""
    if event.type == "ERROR":
        if event.object.code == 410:
            raise Gone
        raise Failed(f"the watch ended with {event.object.code}: {event.object.message}")
    if event.type == "DELETED":
        pods.remove(event.object.pod())
    elif event.type in ("ADDED", "MODIFIED"):
        pods.put(event.object.pod())
    else:
        pods.forget_old()  # a bookmark: nothing but a sign of life
