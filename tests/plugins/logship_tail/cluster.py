"""An API server's part in watching pods, as a model on any clock, and who asks it in one process.

It does what a real one was recorded to do: a list comes from memory, whole; a watch sends what
happened after its version, and a bookmark a minute; a version older than the cache of events is
answered by an event `ERROR` with code 410; a restarted server has forgotten all events; its time
limit ends watches after half an hour to an hour; a server that is down refuses connections, one
that hangs says nothing. (That a list asks for memory is held where it is written, over HTTP.)
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import cast

from logship_tail.api_server import Failed, Resource

from logship.api import Clock
from tests.plugins.logship_tail.api_stub import bookmark, event, gone_event, pod

BOOKMARK_SECS = 60.0
CACHE_EVENTS = 300


@dataclass(frozen=True)
class Asked:
    at: float
    kind: str
    """`list` or `watch`; `refused` where nobody answered."""
    selector: str


@dataclass
class Cluster:
    clock: Clock
    version: int = 1000
    oldest: int = 1000
    """Events up to here are forgotten."""
    pods: dict[str, tuple[str, dict[str, object]]] = field(default_factory=dict)
    """By name: node and object."""
    events: list[tuple[int, str, bytes]] = field(default_factory=list)
    """(version, node, line)."""
    token: str = "first"
    down: bool = False
    hangs: bool = False
    asked: list[Asked] = field(default_factory=list)
    random: Random = field(default_factory=lambda: Random(7))
    _watches: set[asyncio.Event] = field(default_factory=set)
    _ends: int = 0

    def put(self, node: str, name: str, app: str, uid: str = "", **metadata: object) -> None:
        """`uid`: by default the name tells it; `metadata`: also this."""
        kind = "MODIFIED" if name in self.pods else "ADDED"
        self._happens(kind, node, pod(name, uid or f"uid-{name}", labels={"app": app}, **metadata))

    def delete(self, name: str) -> None:
        node, thing = self.pods[name]
        metadata = cast(dict[str, object], thing["metadata"]) | {"labels": {"app": "gone"}}
        self._happens("DELETED", node, thing | {"metadata": metadata})
        del self.pods[name]

    def _happens(self, kind: str, node: str, thing: dict[str, object]) -> None:
        self.version += 1
        metadata = cast(dict[str, object], thing["metadata"])
        metadata["resourceVersion"] = str(self.version)
        self.pods[str(metadata["name"])] = node, thing
        self.events.append((self.version, node, event(kind, thing)))
        if len(self.events) > CACHE_EVENTS:
            self.oldest = self.events.pop(0)[0]
        for watch in self._watches:
            watch.set()

    def end_watches(self) -> None:
        self._ends += 1
        for watch in self._watches:
            watch.set()

    def restart(self) -> None:
        """Everybody is cut off; what happened before is not in its memory."""
        self.end_watches()
        self.version += 50  # others wrote meanwhile
        self.oldest, self.events = self.version, []

    async def answers(self, kind: str, selector: str, token: str) -> None:
        if self.down:
            self.asked.append(Asked(self.clock.now(), "refused", selector))
            raise ConnectionRefusedError(111, "Connection refused")
        self.asked.append(Asked(self.clock.now(), kind, selector))
        if self.hangs:
            await asyncio.sleep(1e9)
        if token != self.token:
            raise Failed("the API server answers 401")

    async def list(self, selector: str, token: str) -> bytes:
        await self.answers("list", selector, token)
        node = selector.removeprefix("spec.nodeName=")
        items = [thing for where, thing in self.pods.values() if where == node]
        return json.dumps(
            {"metadata": {"resourceVersion": str(self.version)}, "items": items}
        ).encode()

    async def watch(self, selector: str, version: str) -> AsyncGenerator[bytes, None]:
        """Its pieces, once `answers` has let it in."""
        node, seen = selector.removeprefix("spec.nodeName="), int(version)
        if seen < self.oldest:
            yield gone_event()
            return
        changed, ends = asyncio.Event(), self._ends
        self._watches.add(changed)
        limit = self.clock.now() + self.random.uniform(1800, 3600)
        try:
            while self._ends == ends and self.clock.now() < limit:
                for number, where, line in list(self.events):
                    if number > seen and where == node:
                        yield line
                seen = self.version
                changed.clear()
                try:
                    async with asyncio.timeout(BOOKMARK_SECS):
                        await changed.wait()
                except TimeoutError:
                    yield bookmark(str(seen))
        finally:
            self._watches.discard(changed)


@dataclass
class Caller:
    """`api_server.Server` without a network: one agent."""

    cluster: Cluster
    token: str = "first"

    @asynccontextmanager
    async def session(self) -> AsyncIterator["Connection"]:
        yield Connection(self.cluster, self.token)


@dataclass
class Connection:
    cluster: Cluster
    token: str

    async def list(self, resource: Resource) -> bytes:
        return await self.cluster.list(resource.selector, self.token)

    @asynccontextmanager
    async def watch(self, resource: Resource, version: str) -> AsyncIterator[AsyncIterator[bytes]]:
        await self.cluster.answers("watch", resource.selector, self.token)
        yield self.cluster.watch(resource.selector, version)


def most_in(asked: list[Asked], secs: float) -> int:
    """The most requests in any stretch of so many seconds."""
    times = sorted(one.at for one in asked)
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= secs:
            first += 1
        most = max(most, last - first + 1)
    return most
