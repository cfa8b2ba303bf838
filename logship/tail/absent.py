"""Logs that were deleted while no agent ran: what was known to be undelivered of them is lost.

A pod that goes takes its log with it, so nobody ever adds its origin again; only the checkpoint
knows that there was something. It is told once, some time after all sources of a route have said
what is there, since a directory may come late; then the position is forgotten.
"""

from collections.abc import Iterable, Iterator, Sequence

from logship.checkpoint import Checkpoint
from logship.journal import Key
from logship.origin import Labels, Origin
from logship.routes.routing import RouteRule
from logship.tail.loss import Loss, Reason
from logship.world import Clock

ABSENT_SECS = 300.0


class Absent:
    def __init__(self, rules: Sequence[RouteRule], checkpoint: Checkpoint, clock: Clock) -> None:
        self._rules = list(rules)
        """Of which nothing has been told yet."""
        self._checkpoint, self._clock = checkpoint, clock
        self._seen: set[str] = set()
        self._complete: dict[str, float] = {}
        """Sources, and when they had told what is there."""

    def reroute(self, rules: Sequence[RouteRule]) -> None:
        """The routes have changed: those that are new have lost nothing with what is gone."""
        names = {rule.name for rule in self._rules}
        self._rules = [rule for rule in rules if rule.name in names or rule.was in names]

    def saw(self, origin: str) -> None:
        if self._rules:
            self._seen.add(origin)

    def complete(self, source: str) -> None:
        self._complete.setdefault(source, self._clock.now())

    def untold(self, sources: Iterable[str]) -> list[str]:
        """Those that have not said yet what is there."""
        return [source for source in sources if source not in self._complete]

    def losses(self) -> Iterator[tuple[str, Origin, Loss]]:
        """By route. Each is given once."""
        for rule in [rule for rule in self._rules if self._is_time(rule)]:
            self._rules.remove(rule)
            for key in self._checkpoint.keys(rule.name, rule.was):
                if key.origin and key.origin not in self._seen:
                    yield from self._loss(rule.name, key)
        if not self._rules:
            self._seen.clear()

    def _is_time(self, rule: RouteRule) -> bool:
        now = self._clock.now()
        told = [self._complete.get(source) for source in rule.sources]
        return all(at is not None and now - at >= ABSENT_SECS for at in told)

    def _loss(self, route: str, key: Key) -> Iterator[tuple[str, Origin, Loss]]:
        known = self._checkpoint.following(key.route, key.origin)
        self._checkpoint.forget(key)
        if known.unsettled:
            origin = Origin(key.origin, Labels({"namespace": known.namespace}))
            loss = Loss(Reason.LOG_GONE, known.unsettled, False, known.settled_ns)
            yield route, origin, loss
