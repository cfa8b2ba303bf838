"""From where on a route reads an origin: a saved position, another binding's end, or a time."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from logship.checkpoint import Checkpoint
from logship.entry import Entry
from logship.rebinding import Ended
from logship.routes.routing import RouteRule
from logship.rows.address import Position
from logship.tail.loss import NOTHING_KNOWN, Following
from logship.tail.start import start_position
from logship.world import World

Begin = tuple[Position | None, Following]
"""The first byte to read (None: the first there is), and what was known to follow it."""


class Starting(Protocol):
    def __call__(self, route: str, source: str, now_ns: int | None = None) -> int:
        """The time (ns) from which on a route reads origins of a source it has no position for.

        It counts back from when the route began, or from `now_ns`.
        """
        ...


class Beginning:
    def __init__(self, checkpoint: Checkpoint, starting: Starting, world: World) -> None:
        self._checkpoint, self._starting, self._world = checkpoint, starting, world
        self._started: set[str] = set()
        """Routes that had run before they began: what they have no position of is new."""
        self._before: Collection[str] = ()
        """Routes there were before the last change."""

    def routes_are(self, rules: Iterable[RouteRule], before: Collection[str]) -> None:
        """From now on; the checkpoint is loaded."""
        knows, started = self._checkpoint.knows, self._started
        self._before = before
        self._started = {
            rule.name for rule in rules
            if (rule.name in started if rule.name in before else knows(rule.name, rule.was))
        }  # fmt: skip

    async def of(self, entry: Entry, rule: RouteRule, handed: Mapping[str, Ended]) -> Begin:
        """`handed`: the ended bindings at which routes go on, by route."""
        there, follower = handed.get(rule.name), entry.follower
        if there is None or follower is None:
            return await self._start(entry, rule)
        own = rule.name in entry.ended or rule.was in entry.ended
        saved = self._checkpoint.position(rule.name, entry.origin.key, rule.was)
        old = rule.name in self._started or rule.name in self._before
        if own or (saved is None and old):
            return there.position, there.feed.following()
        # A new route may begin before those whose rows it takes over have ended, but never after.
        start, at = await self._start(entry, rule), there.position
        if start[0] is None or (at and follower.generations.precedes(start[0], at)):
            return start
        return at, there.feed.following()

    async def _start(self, entry: Entry, rule: RouteRule) -> Begin:
        if entry.follower is None:
            return None, NOTHING_KNOWN
        if entry.rematched_ns is not None:
            entry.follower.reopen()  # what everybody had settled may be new to this route
        key = entry.origin.key
        position = self._checkpoint.position(rule.name, key, rule.was)
        if position is None:
            cutoff = self._cutoff_ns(entry, rule)
            position = await start_position(entry.follower, self._world, cutoff)
        return position, self._checkpoint.following(rule.name, key, rule.was)

    def _cutoff_ns(self, entry: Entry, rule: RouteRule) -> int:
        if entry.rematched_ns is not None:
            return self._starting(rule.name, entry.source, entry.rematched_ns)
        new = not entry.was_there or rule.name in self._started
        return 0 if new else self._starting(rule.name, entry.source)
