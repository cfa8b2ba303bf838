"""The origins there are, and which routes read them.

Sources add, update and retire origins; each is matched against the routes from top to bottom, and
every route it goes to gets a binding with a feed of its own. An origin whose routing needs metadata
that is not known yet stays unread (the log on disk is the queue) until it is known, or until
rotation is about to lose bytes; then the route's `on_unknown` decides, and it is counted.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from logship.api import LogFile, OpenFeed
from logship.binding import Binding
from logship.checkpoint import Checkpoint
from logship.conditions import Selection
from logship.feed import DiskFeed, OnLoss
from logship.follow import Follower
from logship.journal import Key
from logship.origin import Origin
from logship.pulse import Pulse
from logship.route import Route
from logship.routing import RouteRule, choose
from logship.rows.address import Generation, Position
from logship.start import start_position
from logship.world import World

AT_RISK_GENERATIONS = 4
"""kubelet keeps five files of a container: one more rotation would delete unread bytes."""
METADATA_GRACE_SECS = 15.0
"""How long an origin at risk waits for its metadata all the same: its files are held open."""


@dataclass(eq=False, slots=True)
class Entry:
    """An origin and what reads it."""

    origin: Origin
    log: LogFile | OpenFeed
    source: str
    follower: Follower | None
    seen_at: float
    was_there: bool
    """Whether it was there when its source started: `start_from` rules it."""
    decided: bool = False
    """Whether it is known which routes it goes to."""
    retired: bool = False
    bindings: dict[str, Binding] = field(default_factory=dict)


STARTED = Position(Generation(0, 0), 0)
"""Saved for each route under no origin: it has run, so that what it has no position of is new."""


class Starting(Protocol):
    def __call__(self, route: str, source: str) -> int:
        """The time (ns) from which on a route reads origins of a source it has no position for."""
        ...


class Origins:
    """All origins; `catalog_for` gives each source its view of them."""

    def __init__(
        self,
        routes: Sequence[tuple[RouteRule, Route]],
        checkpoint: Checkpoint,
        starting: Starting,
        world: World,
        logger: logging.Logger,
    ) -> None:
        self.entries: dict[str, Entry] = {}
        self._rules = [rule for rule, _ in routes]
        self._routes = {rule.name: route for rule, route in routes}
        self._checkpoint, self._starting = checkpoint, starting
        self._world, self._log = world, logger
        self.pulse = Pulse(world.clock, world.disk)
        self._started: set[str] = set()
        """Routes that have run before."""
        self.unmatched = 0
        self.unknown_decided = 0
        """Origins whose metadata did not come in time."""

    def begin(self) -> None:
        """The checkpoint is loaded."""
        knows = self._checkpoint.knows
        self._started = {rule.name for rule in self._rules if knows(rule.name, rule.was)}

    async def bind(self, entry: Entry) -> None:
        """Give the entry to the routes it goes to, if that can be told."""
        if entry.decided or self.entries.get(entry.origin.key) is not entry:
            return
        if entry.follower is not None:
            entry.follower.refresh()
        labels = entry.origin.labels
        at_risk = self._at_risk(entry)
        chosen = choose(self._rules, entry.source, labels.values, labels.known, force=at_risk)
        if chosen is None:
            return
        # All positions first: a feed that reads already could let go of files that others need.
        begins = [await self._begin(entry, rule) for rule, _ in chosen]
        entry.decided = True
        self.unknown_decided += at_risk and not labels.known
        for (rule, selection), position in zip(chosen, begins, strict=True):
            self._bind_route(entry, rule, selection, position)
        if not chosen:
            self.unmatched += 1
            self._close(entry)

    def _at_risk(self, entry: Entry) -> bool:
        if self._world.clock.now() - entry.seen_at < METADATA_GRACE_SECS:
            return False
        held = len(entry.follower.generations) if entry.follower else 0
        return entry.retired or held >= AT_RISK_GENERATIONS

    async def _begin(self, entry: Entry, rule: RouteRule) -> Position | None:
        if entry.follower is None:
            return None
        position = self._checkpoint.position(rule.name, entry.origin.key, rule.was)
        if position is None:
            new = not entry.was_there or rule.name in self._started
            cutoff = 0 if new else self._starting(rule.name, entry.source)
            position = await start_position(entry.follower, self._world, cutoff)
        return position

    def _bind_route(
        self, entry: Entry, rule: RouteRule, selection: Selection, position: Position | None
    ) -> None:
        route = self._routes[rule.name]
        proxy = _Wake()
        if entry.follower is None:
            assert not isinstance(entry.log, LogFile)
            feed = entry.log(proxy)
        else:
            disk_feed = DiskFeed(
                rule.name,
                entry.follower,
                self._world,
                position,
                proxy,
                self._loss_of(route, entry),
            )
            entry.follower.feeds.append(disk_feed)
            feed = disk_feed
        binding = Binding(feed, selection, route)
        proxy.target = binding.wake
        entry.bindings[rule.name] = binding
        route.add(binding)

    def _loss_of(self, route: Route, entry: Entry) -> OnLoss:
        def lost(size: int, why: str) -> None:
            route.counters.lost_events += 1
            route.counters.lost_bytes += size
            self._log.warning(
                "route %s lost rows of %s (%d bytes at least): %s",
                route.name, entry.origin.key, size, why,
            )  # fmt: skip

        return lost

    def positions(self) -> dict[Key, Position]:
        """What every binding has settled, for the checkpoint."""
        found = {Key(name, ""): STARTED for name in self._routes}
        for entry in self.entries.values():
            for name, binding in entry.bindings.items():
                feed = binding.feed
                if isinstance(feed, DiskFeed) and (position := feed.committed) is not None:
                    found[Key(name, entry.origin.key)] = position
        return found

    def sweep(self) -> None:
        """Let go of retired origins of which everything is settled; look at undecided ones."""
        for entry in list(self.entries.values()):
            if entry.retired and entry.decided and all(map(_finished, entry.bindings.values())):
                self._close(entry)
                del self.entries[entry.origin.key]
                for name in entry.bindings:
                    self._checkpoint.forget(Key(name, entry.origin.key))

    def undecided(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.decided]

    def _close(self, entry: Entry) -> None:
        for name, binding in entry.bindings.items():
            self._routes[name].remove(binding)
        if entry.follower is not None:
            self.pulse.remove(entry.follower)
            entry.follower.close()

    def close(self) -> None:
        for entry in self.entries.values():
            self._close(entry)


def _finished(binding: Binding) -> bool:
    feed = binding.feed
    return not isinstance(feed, DiskFeed) or (feed.exhausted and feed.settled)


class _Wake:
    """A feed's `on_ready`, which exists before the binding it wakes."""

    def __init__(self) -> None:
        self.target: Callable[[], None] | None = None

    def __call__(self) -> None:
        if self.target is not None:
            self.target()
