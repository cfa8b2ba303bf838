"""The origins there are, and which routes read them.

Sources add, update and retire origins; each is matched against the routes from top to bottom, and
every route it goes to gets a binding with a feed of its own. An origin whose routing needs metadata
that is not known yet stays unread (the log on disk is the queue) until it is known, or until
rotation is about to lose bytes; then the route's `on_unknown` decides, and it is counted.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from logship.api import LogFile
from logship.checkpoint import Checkpoint
from logship.entry import Entry
from logship.journal import Key
from logship.origin import Origin
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.routes.routing import RouteRule, choose_as_wished
from logship.rows.address import Generation, Position
from logship.tail.absent import Absent
from logship.tail.descriptors import Descriptors
from logship.tail.feed import DiskFeed, OnLoss
from logship.tail.follow import Follower
from logship.tail.loss import Following, Loss, LossLog
from logship.tail.pulse import Pulse
from logship.tail.start import start_position
from logship.wishes import METADATA_GRACE_SECS, Wishes
from logship.world import World

AT_RISK_GENERATIONS = 4
"""kubelet keeps five files of a container: one more rotation would delete unread bytes."""
ALL_STANDING_SECS = 60.0
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
        self.loss_log = LossLog(world.clock, logger)
        self.descriptors = Descriptors(world.disk.max_open_files(), world.clock, logger)
        self.pulse = Pulse(world.clock, world.disk)
        self.absent = Absent(self._rules, checkpoint, world.clock)
        self._all_stood_at = float("-inf")
        self._started: set[str] = set()
        """Routes that have run before."""
        self.wishes = Wishes(world.clock, logger)
        self.unmatched = 0
        self.excluded = 0
        """Origins that asked not to be read."""
        self.unknown_decided = 0
        """Origins whose metadata did not come in time."""

    def begin(self) -> None:
        """The checkpoint is loaded."""
        knows = self._checkpoint.knows
        self._started = {rule.name for rule in self._rules if knows(rule.name, rule.was)}

    def saved(self, origin: str) -> list[Position]:
        """Where routes stand in an origin that is not followed yet."""
        found = (self._checkpoint.position(r.name, origin, r.was) for r in self._rules)
        return [position for position in found if position is not None]

    async def bind(self, entry: Entry) -> None:
        """Give the entry to the routes it goes to, if that can be told."""
        if entry.decided or self.entries.get(entry.origin.key) is not entry:
            return
        if entry.follower is not None:
            entry.follower.refresh()  # once more: what the first look missed is held open now
        labels, at_risk = entry.origin.labels, self._at_risk(entry)
        if (wish := self.wishes.of(entry)) is None:
            return
        chosen, problem = choose_as_wished(self._rules, entry.source, labels, wish, force=at_risk)
        if chosen is None:
            return
        self.wishes.hold(entry, wish)
        # All positions first: a feed that reads already could let go of files that others need.
        begins = [await self._begin(entry, rule) for rule, _ in chosen]
        entry.decided = True
        self.unknown_decided += at_risk and not labels.known and not wish.exclude
        for (rule, selection), position in zip(chosen, begins, strict=True):
            self._bind_route(entry, rule, selection, position)
        self.wishes.pace(entry, wish)
        self.wishes.tell(entry, (*wish.problems, *([problem] if problem else ())))
        if not chosen:
            self.excluded += wish.exclude
            self.unmatched += not wish.exclude
            self._close(entry)

    def heed(self, entry: Entry) -> None:
        """The labels of an origin that is bound have changed."""
        wish = self.wishes.asked(entry)
        if wish is not None and entry.bindings:
            self.wishes.pace(entry, wish)
            self.wishes.tell(entry, wish.problems)

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
            known = self._checkpoint.following(rule.name, entry.origin.key, rule.was)
            disk_feed = DiskFeed(
                rule.name, entry.follower, self._world, position, proxy,
                self._loss_of(route, entry), known, rows_wanted=route.rows_wanted,
            )  # fmt: skip
            entry.follower.add_feed(disk_feed)
            feed = disk_feed
        binding = Binding(feed, selection, route)
        if isinstance(feed, DiskFeed):
            binding.due, feed.on_ready = feed.due, binding.wake
        proxy.target = binding.wake
        entry.bindings[rule.name] = binding
        entry.keys[rule.name] = Key(rule.name, entry.origin.key)
        route.add(binding)

    def _loss_of(self, route: Route, entry: Entry) -> OnLoss:
        return lambda loss: self._lose(route, entry.origin, loss)

    def _lose(self, route: Route, origin: Origin, loss: Loss) -> None:
        route.counters.lose(origin.labels.get("namespace"), loss)
        self.loss_log.say(route.name, origin, loss)

    def standing(self, *, everything: bool) -> tuple[dict[Key, Position], dict[Key, Following]]:
        """Positions and what is known to come after them, for the checkpoint.

        Only of bindings that moved; all once a minute, so that they stay young in the file.
        """
        now = self._world.clock.now()
        if everything or now - self._all_stood_at >= ALL_STANDING_SECS:
            self._all_stood_at, everything = now, True
        positions, following = {Key(name, ""): STARTED for name in self._routes}, {}
        for entry in self.entries.values():
            for key, feed in entry.moved(everything=everything):
                position = feed.committed
                if position is not None:
                    positions[key], following[key] = position, feed.following()
        return positions, following

    def tell_absent(self) -> None:
        """Count what is lost with logs that were deleted while no agent ran."""
        for name, origin, loss in self.absent.losses():
            self._lose(self._routes[name], origin, loss)

    def followers(self) -> list[Follower]:
        return [entry.follower for entry in self.entries.values() if entry.follower is not None]

    def sweep(self) -> None:
        """Let go of retired origins of which everything is settled; look at undecided ones."""
        for entry in list(self.entries.values()):
            if entry.retired and entry.decided and entry.finished:
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


class _Wake:
    """A feed's `on_ready`, which exists before the binding it wakes."""

    def __init__(self) -> None:
        self.target: Callable[[], None] | None = None

    def __call__(self) -> None:
        if self.target is not None:
            self.target()
