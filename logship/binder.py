"""Which routes read an origin, and where each begins in it.

An origin is matched when its routing can be told, and again when the routes change. Its bindings
then end and begin in this file alone. What cannot be told yet stays unread: the log on disk is the
queue, and the follower holds its files.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from operator import lt
from typing import Protocol

from logship.api import LogFile
from logship.beginning import Beginning, Starting
from logship.checkpoint import Checkpoint
from logship.entry import Entry
from logship.journal import Key
from logship.origin import NO_WISH, Origin, Problem, Wish
from logship.rebinding import Chosen, Ended, handed_over, staying
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.routes.routing import RouteRule, choose_as_wished, problem_of_route
from logship.rows.address import Position
from logship.tail.feed import DiskFeed, OnLoss
from logship.tail.follow import Follower
from logship.tail.loss import Following, Loss
from logship.wishes import METADATA_GRACE_SECS, Wishes
from logship.world import World

AT_RISK_GENERATIONS = 4
"""kubelet keeps five files of a container: one more rotation would delete unread bytes."""


class Catalog(Protocol):
    """What binding needs of the catalog."""

    def follow(self, entry: Entry) -> Follower | None:
        """Open its files, if it has any."""
        ...

    def close_entry(self, entry: Entry) -> None:
        """Nobody reads it."""
        ...

    def lose(self, route: Route, origin: Origin, loss: Loss) -> None: ...


class Binder:
    def __init__(
        self,
        routes: Sequence[tuple[RouteRule, Route]],
        checkpoint: Checkpoint,
        starting: Starting,
        world: World,
        catalog: Catalog,
        wishes: Wishes,
    ) -> None:
        self.rules = [rule for rule, _ in routes]
        self.routes = {rule.name: route for rule, route in routes}
        self._checkpoint, self._world, self._catalog = checkpoint, world, catalog
        self._wishes = wishes
        self._beginning = Beginning(checkpoint, starting, world)
        self._version = 0
        """Of the rules."""
        self.unmatched = 0
        self.excluded = 0
        self.unknown_decided = 0
        """Origins whose metadata did not come in time."""

    def begin(self) -> None:
        """The checkpoint is loaded."""
        self._beginning.routes_are(self.rules, ())

    # Binding

    async def bind(self, entry: Entry) -> None:
        """Give the entry to the routes it goes to, if that can be told."""
        if entry.follower is not None and entry.follower.changed:
            entry.follower.refresh()  # once more: what the first look missed is held open now
        at_risk = self._at_risk(entry)
        labels, wish = entry.origin.labels, self._wishes.of(entry)
        if wish is None:
            return
        chosen = choose_as_wished(self.rules, entry.source, labels, wish, force=at_risk)
        if chosen is None:
            return
        self._wishes.hold(entry, wish)
        self._end_others(entry, chosen)
        fresh = [(rule, rows) for rule, rows in chosen if rule.name not in entry.bindings]
        precedes = entry.follower.generations.precedes if entry.follower else lt
        handed, version = handed_over(entry.ended, fresh, precedes), self._version
        # All positions first: a feed that reads already could let go of files that others need.
        begins = []
        for rule, _ in fresh:
            begins.append(await self._beginning.of(entry, rule, handed.begins))
            if entry.gone or version != self._version:
                return  # it comes again if it is still there
        entry.decided = True
        self.unknown_decided += at_risk and not labels.known and not wish.exclude
        for (rule, selection), (position, following) in zip(fresh, begins, strict=True):
            self._bind_route(entry, rule, selection, position, following)
        self._let_go_of_ended(entry, handed.given)
        self._wishes.pace(entry, wish)
        self._wishes.tell(entry, self.problems(entry, wish))
        if not chosen:
            self.excluded += wish.exclude
            self.unmatched += not wish.exclude
            self._catalog.close_entry(entry)

    def problems(self, entry: Entry, wish: Wish) -> Iterator[Problem]:
        """What is wrong with what an origin that is bound asks for now, though most of it would
        hold from its next restart on only."""
        yield from wish.problems
        if problem := problem_of_route(self.rules, entry.source, entry.origin.labels, wish):
            yield problem

    def _choose(self, rules: Sequence[RouteRule], entry: Entry, at_risk: bool) -> Chosen | None:
        wish, labels = entry.wish or NO_WISH, entry.origin.labels
        return choose_as_wished(rules, entry.source, labels, wish, force=at_risk)

    def _at_risk(self, entry: Entry) -> bool:
        if self._world.clock.now() - entry.seen_at < METADATA_GRACE_SECS:
            return False
        held = len(entry.follower.generations) if entry.follower else 0
        return entry.retired or held >= AT_RISK_GENERATIONS

    def _bind_route(
        self, entry: Entry, rule: RouteRule, selection: Selection, position: Position | None,
        following: Following,
    ) -> None:  # fmt: skip
        route, proxy = self.routes[rule.name], _Wake()
        if entry.follower is None:
            assert not isinstance(entry.log, LogFile)
            feed = entry.log(proxy)
        else:
            disk_feed = DiskFeed(
                rule.name, entry.follower, self._world, position, proxy,
                self._loss_of(route, entry), following, rows_wanted=route.rows_wanted,
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
        return lambda loss: self._catalog.lose(route, entry.origin, loss)

    # Matching again

    def reroute(self, routes: Sequence[tuple[RouteRule, Route]], entries: Iterable[Entry]) -> None:
        """These are the routes from now on. Entries that are not `decided` then are to be bound."""
        before, self.rules = list(self.routes), [rule for rule, _ in routes]
        self.routes = {rule.name: route for rule, route in routes}
        self._beginning.routes_are(self.rules, before)
        self._version += 1
        for entry in entries:
            if entry.decided:
                self._match_again(entry)

    def _match_again(self, entry: Entry) -> None:
        chosen = self._choose(self.rules, entry, self._at_risk(entry))
        self._end_others(entry, chosen or ())
        if chosen is not None and len(entry.bindings) == len(chosen) and not entry.ended:
            return
        entry.decided, entry.rematched_ns = False, self._world.clock.wall_ns()
        if entry.closed:
            entry.follower, entry.closed = self._catalog.follow(entry), False

    def ending(
        self, routes: Sequence[tuple[RouteRule, Route]], entries: Iterable[Entry]
    ) -> Iterator[Binding]:
        """What `reroute` would end."""
        rules, by_name = [rule for rule, _ in routes], {rule.name: route for rule, route in routes}
        for entry in entries:
            chosen = self._choose(rules, entry, self._at_risk(entry)) or ()
            stay = staying(entry.bindings, chosen, by_name)
            yield from (binding for name, binding in entry.bindings.items() if name not in stay)

    def _end_others(self, entry: Entry, chosen: Chosen) -> None:
        stay = staying(entry.bindings, chosen, self.routes)
        for name in [name for name in entry.bindings if name not in stay]:
            self.end(entry, name)
        for binding in entry.bindings.values():
            binding.go_on()

    def end(self, entry: Entry, name: str) -> None:
        """What the binding has out is read again by whoever goes on where it ended."""
        binding, key = entry.bindings.pop(name), entry.keys.pop(name)
        feed = binding.feed
        binding.end(handed_over=isinstance(feed, DiskFeed))
        if not isinstance(feed, DiskFeed):
            feed.close()
            return
        entry.ended[name] = Ended(binding.selection, feed)
        with suppress(OSError):  # else it stands as it was saved last
            if feed.committed is not None:
                self._checkpoint.update({key: feed.committed}, {key: feed.following()})

    def _let_go_of_ended(self, entry: Entry, given: Iterable[str]) -> None:
        """Those who go on in their place read now."""
        for name in given:
            self._checkpoint.forget(Key(name, entry.origin.key))
        entry.let_go_of_ended()


class _Wake:
    """A feed's `on_ready`, which exists before the binding it wakes."""

    def __init__(self) -> None:
        self.target: Callable[[], None] | None = None

    def __call__(self) -> None:
        if self.target is not None:
            self.target()
