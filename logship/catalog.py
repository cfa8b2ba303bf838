"""The origins there are, and which routes read them.

Sources add, update and retire origins; each is matched against the routes from top to bottom, and
every route it goes to gets a binding with a feed of its own (`binder`). An origin whose routing
needs metadata that is not known yet stays unread (the log on disk is the queue) until it is known,
or until rotation is about to lose bytes; then the route's `on_unknown` decides, and it is counted.
"""

import logging
from collections.abc import Iterable, Sequence

from logship.api import LogFile
from logship.beginning import Starting
from logship.binder import Binder
from logship.checkpoint import Checkpoint
from logship.entry import Entry
from logship.journal import Key
from logship.origin import Origin
from logship.routes.binding import Binding
from logship.routes.route import Route
from logship.routes.routing import RouteRule
from logship.rows.address import Generation, Position
from logship.tail.absent import Absent
from logship.tail.descriptors import Descriptors
from logship.tail.follow import Follower
from logship.tail.loss import Following, Loss, LossLog
from logship.tail.pulse import Pulse
from logship.wishes import Wishes
from logship.world import World

ALL_STANDING_SECS = 60.0

STARTED = Position(Generation(0, 0), 0)
"""Saved for each route under no origin: it has run, so that what it has no position of is new."""

Routing = Sequence[tuple[RouteRule, Route]]
"""In the order in which they are tried."""


class Origins:
    """All origins; `SourceCatalog` gives each source its view of them."""

    def __init__(
        self,
        routes: Routing,
        checkpoint: Checkpoint,
        starting: Starting,
        world: World,
        logger: logging.Logger,
    ) -> None:
        self.entries: dict[str, Entry] = {}
        self._checkpoint, self._world = checkpoint, world
        self.loss_log = LossLog(world.clock, logger)
        self.descriptors = Descriptors(world.disk.max_open_files(), world.clock, logger)
        self.pulse = Pulse(world.clock, world.disk)
        self.wishes = Wishes(world.clock, logger)
        self.binder = Binder(routes, checkpoint, starting, world, self, self.wishes)
        self.absent = Absent(self.binder.rules, checkpoint, world.clock)
        self._all_stood_at = float("-inf")

    @property
    def unmatched(self) -> int:
        """Origins that no route took."""
        return self.binder.unmatched

    @property
    def excluded(self) -> int:
        """Origins that asked not to be read."""
        return self.binder.excluded

    @property
    def unknown_decided(self) -> int:
        """Origins whose metadata did not come in time."""
        return self.binder.unknown_decided

    def begin(self) -> None:
        """The checkpoint is loaded."""
        self.binder.begin()

    def saved(self, origin: str) -> list[Position]:
        """Where routes stand in an origin that is not followed yet."""
        rules = self.binder.rules
        found = (self._checkpoint.position(r.name, origin, r.was) for r in rules)
        return [position for position in found if position is not None]

    async def bind(self, entry: Entry) -> None:
        """Give the entry to the routes it goes to, if that can be told."""
        if not (entry.decided or entry.orphan) and self.entries.get(entry.origin.key) is entry:
            await self.binder.bind(entry)

    def heed(self, entry: Entry) -> None:
        """The labels of an origin that is bound have changed."""
        wish = self.wishes.asked(entry)
        if wish is not None and entry.bindings:
            self.wishes.pace(entry, wish)
            self.wishes.tell(entry, self.binder.problems(entry, wish))

    def reroute(self, routes: Routing) -> None:
        """From now on these are the routes. What is undecided then is to be bound."""
        self.binder.reroute(routes, list(self.entries.values()))
        self.absent.reroute(self.binder.rules)

    def ending(self, routes: Routing) -> list[Binding]:
        """The bindings that `reroute` would end."""
        return list(self.binder.ending(routes, self.entries.values()))

    def follow(self, entry: Entry) -> Follower | None:
        """Open its files, if it has any; at once: a pod's log may be deleted a second later."""
        origin, log = entry.origin, entry.log
        if not isinstance(log, LogFile):
            return None
        follower = Follower(origin, log, self._world, entry.said, descriptors=self.descriptors)
        follower.expect(self.saved(origin.key))
        follower.retired = entry.retired
        follower.look_again()
        self.pulse.add(follower)
        return follower

    def lose(self, route: Route, origin: Origin, loss: Loss) -> None:
        route.counters.lose(origin.labels.get("namespace"), loss)
        self.loss_log.say(route.name, origin, loss)

    def standing(self, *, everything: bool) -> tuple[dict[Key, Position], dict[Key, Following]]:
        """Positions and what is known to come after them, for the checkpoint.

        Only of bindings that moved; all once a minute, so that they stay young in the file.
        """
        now = self._world.clock.now()
        if everything or now - self._all_stood_at >= ALL_STANDING_SECS:
            self._all_stood_at, everything = now, True
        positions, following = {Key(name, ""): STARTED for name in self.binder.routes}, {}
        for entry in self.entries.values():
            for key, feed in entry.moved(everything=everything):
                position = feed.committed
                if position is not None:
                    positions[key], following[key] = position, feed.following()
        return positions, following

    def tell_absent(self) -> None:
        """Count what is lost with logs that were deleted while no agent ran."""
        for name, origin, loss in self.absent.losses():
            self.lose(self.binder.routes[name], origin, loss)

    def followers(self) -> list[Follower]:
        return [entry.follower for entry in self.entries.values() if entry.follower is not None]

    def sweep(self) -> None:
        """Let go of retired origins of which everything is settled."""
        for entry in list(self.entries.values()):
            if entry.retired and entry.decided and entry.finished:
                for key, feed in entry.moved(everything=True):
                    if feed.committed is not None:
                        self._checkpoint.update({key: feed.committed}, {key: feed.following()})
                for name in entry.bindings:
                    self._checkpoint.finished(Key(name, entry.origin.key))
                self._drop(entry)

    def undecided(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if not entry.decided]

    def leave_orphans(self, sources: Iterable[str]) -> None:
        """Those that no source has named, once all have looked at what is there."""
        if not self.absent.untold(sources):
            for entry in [entry for entry in self.entries.values() if entry.orphan]:
                self.leave(entry)

    def leave(self, entry: Entry) -> None:
        """Its source does not want it any more. Positions are kept for a day.

        What is out of a broker's feed can still be settled.
        """
        if entry.follower is not None:
            for name in list(entry.bindings):
                self.binder.end(entry, name)
        entry.let_go_of_ended()
        self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        self.close_entry(entry)
        entry.gone = True
        del self.entries[entry.origin.key]

    def close_entry(self, entry: Entry) -> None:
        """Nobody reads it, and its files are closed."""
        entry.closed = True
        for binding in entry.bindings.values():
            binding.route.remove(binding)
        if entry.follower is not None:
            self.pulse.remove(entry.follower)
            entry.follower.close()

    def close(self) -> None:
        for entry in self.entries.values():
            self.close_entry(entry)
