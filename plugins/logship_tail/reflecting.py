"""Keeps a copy of what the API server has of one kind of object: a list, then a watch, for ever.

One list with `resourceVersion=0` (from the server's memory), then a watch from its version. A watch
that ends (the server's own time limit, a lost connection, silence although bookmarks come every
minute) goes on from the last version that was seen, which bookmarks keep young; only where the
server has forgotten that (410), or sent what nobody understands, everything is listed again.

A cluster's agents start together and lose the server together, so each waits for a random moment
before it asks: a short one at the start, and after every end one out of a span that doubles while
nothing works. Everything that waits is bounded. Nothing here ends the agent: without the API logs
are shipped with what is known. One line of log when it fails, one when it works again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import random
from typing import Protocol

import msgspec

from logship.api import Clock
from logship_tail.api_server import Failed, Gone, Resource, Server, Session
from logship_tail.pod_events import Event, Lines, Object, ObjectList


@dataclass(frozen=True, slots=True)
class Timing:
    start_secs: float = 2.0
    """The first list is made within so many seconds."""
    answer_secs: float = 30.0
    silence_secs: float = 180.0
    """Bookmarks come about every minute."""
    pause_secs: float = 2.0
    max_pause_secs: float = 60.0
    healthy_secs: float = 30.0
    """A watch that lived so long was no failure."""


def pause(failures: int, timing: Timing, chance: float) -> float:
    """Seconds before the next round; `chance` in [0, 1) keeps agents apart."""
    longest = min(timing.pause_secs * 2.0 ** min(failures, 16), timing.max_pause_secs)
    return longest * (0.1 + 0.9 * chance)


class Copy(Protocol):
    """What is kept; all calls are cheap."""

    def replace(self, objects: Sequence[Object]) -> None: ...
    def put(self, object: Object) -> None: ...
    def remove(self, object: Object) -> None: ...
    def forget_old(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Words:
    """What the log says."""

    failing: str
    working: str


class Reflector:
    def __init__(
        self,
        server: Server,
        resource: Resource,
        words: Words,
        clock: Clock,
        log: logging.Logger,
        timing: Timing,
    ) -> None:
        self._server, self._resource, self._words = server, resource, words
        self._clock, self._log, self._timing = clock, log, timing
        self._list = msgspec.json.Decoder(ObjectList)
        self._event = msgspec.json.Decoder(Event)
        self._version = ""
        """From which to watch; empty: list first."""
        self._failing = ""

    async def run(self, copy: Copy) -> None:
        """Until cancelled."""
        clock, failures = self._clock, 0
        await clock.sleep(random() * self._timing.start_secs)  # noqa: S311 (jitter)
        while True:
            began, after, healthy = clock.now(), 0.0, False
            try:
                await self._round(copy)
                healthy = clock.now() - began >= self._timing.healthy_secs
            except Failed as failed:
                after = failed.after
                self._tell_failure(str(failed))
            copy.forget_old()
            failures = 0 if healthy else failures + 1
            chance = random()  # noqa: S311 (jitter)
            await clock.sleep(max(pause(failures, self._timing, chance), after * (1 + chance)))

    async def probe(self, copy: Copy) -> None:
        """List once. Raises Failed."""
        await self._round(copy, watch=False)

    async def _round(self, copy: Copy, *, watch: bool = True) -> None:
        """Watch until the watch ends, after a list if there is no version. Raises Failed."""
        try:
            async with self._server.session() as session:
                if not self._version:
                    await self._read_list(session, copy)
                if watch:
                    await self._read_watch(session, copy)
        except Gone:
            self._version = ""
        except Failed as failed:
            if failed.lasting:
                self._version = ""
            raise
        except TimeoutError as error:
            raise Failed("the API server does not answer") from error
        except OSError as error:  # also of files that cannot be read
            raise Failed(str(error) or type(error).__name__) from error
        except ValueError as error:  # what msgspec and Lines say
            self._version = ""
            raise Failed(str(error)) from error

    async def _read_list(self, session: Session, copy: Copy) -> None:
        async with asyncio.timeout(self._timing.answer_secs):
            body = await session.list(self._resource)
        found = self._list.decode(body)
        copy.replace(found.items or [])
        self._version = found.metadata.resource_version

    async def _read_watch(self, session: Session, copy: Copy) -> None:
        timing, opened = self._timing, False
        try:
            async with (
                asyncio.timeout(timing.answer_secs) as limit,
                session.watch(self._resource, self._version) as chunks,
            ):
                opened = True
                self._tell_success()
                await self._follow(chunks, copy, limit)
        except (TimeoutError, OSError):
            if not opened:
                raise
            # silence, or a lost connection: if there is more to it, the next round fails

    async def _follow(
        self, chunks: AsyncIterator[bytes], copy: Copy, limit: asyncio.Timeout
    ) -> None:
        """Until there are no more; each has to come in time."""
        loop, lines = asyncio.get_running_loop(), Lines()
        limit.reschedule(loop.time() + self._timing.silence_secs)
        async for chunk in chunks:
            limit.reschedule(loop.time() + self._timing.silence_secs)
            for line in lines.feed(chunk):
                self._apply(self._event.decode(line), copy)

    def _apply(self, event: Event, copy: Copy) -> None:
        """Raises Gone, Failed where the watch cannot go on."""
        if event.type == "ERROR":
            if event.object.code == 410:
                raise Gone
            self._version = ""
            raise Failed(f"the watch ended with {event.object.code}: {event.object.message}")
        if event.type == "DELETED":
            copy.remove(event.object)
        elif event.type in ("ADDED", "MODIFIED"):
            copy.put(event.object)
        else:
            copy.forget_old()  # a bookmark: a sign of life, and a version
        self._version = event.object.metadata.resource_version or self._version

    def _tell_failure(self, reason: str) -> None:
        if reason != self._failing:
            self._log.warning("%s %s", self._words.failing, reason)
        self._failing = reason

    def _tell_success(self) -> None:
        if self._failing:
            self._log.info("%s", self._words.working)
        self._failing = ""
