"""What was dropped of each origin, until a summary of it is durable.

A tally gathers for about a minute, so that a flood becomes a few rows; then its summaries go to the
sink, and when the last of them is durable the bytes that they stand for are settled. Until then the
saved position stays before them: whoever crashes in between reads the rows again, and drops and
counts them again or delivers them. An origin has at most one tally that gathers and one that is
underway; the first waits for the second, so a destination that refuses everything makes it larger,
not more.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from logship.batch import Batch
from logship.routes.binding import Binding
from logship.routes.shed_options import ShedRule
from logship.routes.shed_rules import Dropped, Drops, Key
from logship.routes.stretches import Stretches
from logship.routes.summary import summary

GATHER_SECS = 60.0


@dataclass(eq=False, slots=True)
class Tally:
    """Of one origin."""

    binding: Binding
    like: Batch
    """A batch that rows were dropped from, bare."""
    since: float
    dropped: dict[Key, Dropped] = field(default_factory=dict)
    why: dict[str, None] = field(default_factory=dict)
    """The reasons, in the order they came."""
    stretches: Stretches = field(default_factory=Stretches)
    open: int = 0
    """Summaries that are not durable yet."""

    def add(self, taken: Batch, drops: Drops, why: str) -> None:
        self.stretches.add(taken)
        self.why[why] = None
        for key, more in drops.items():
            self.dropped[key] = self.dropped[key] + more if key in self.dropped else more

    def settle(self) -> None:
        for batch in self.stretches.batches():
            self.binding.settle(batch)


Place = tuple[Binding, str]
"""A binding and the key of an origin: the rows of a broker are of many."""


class Tallies:
    def __init__(
        self, route: str, rules: dict[str, ShedRule], send: Callable[[Tally, list[Batch]], None]
    ) -> None:
        """`send`: makes the summaries of a tally durable; each is told to `durable`."""
        self._route, self._rules, self._send = route, rules, send
        self._gathering: dict[Place, Tally] = {}
        self._underway: dict[Place, Tally] = {}

    def __bool__(self) -> bool:
        return bool(self._gathering or self._underway)

    def add(self, binding: Binding, taken: Batch, drops: Drops, why: str, now: float) -> None:
        """`taken` is bare; all else of it is durable."""
        place = binding, taken.origin.key
        tally = self._gathering.get(place)
        if tally is None:
            tally = self._gathering[place] = Tally(binding, taken, now)
        tally.add(taken, drops, why)

    def look(self, now: float, *, everything: bool) -> None:
        """Sum up what has gathered long enough, or everything."""
        for place, tally in list(self._gathering.items()):
            due = everything or now - tally.since >= GATHER_SECS
            if due and place not in self._underway:
                self._underway[place] = self._gathering.pop(place)
                self._sum_up(tally)

    def _sum_up(self, tally: Tally) -> None:
        batches = [
            summary(tally.like, self._route, self._rules[rule], severity, dropped, tally.why)
            for (rule, severity), dropped in tally.dropped.items()
        ]
        tally.open = len(batches)
        self._send(tally, batches)

    def durable(self, tally: Tally) -> None:
        """One of its summaries is."""
        tally.open -= 1
        place = tally.binding, tally.like.origin.key
        if not tally.open and self._underway.pop(place, None) is tally:
            tally.settle()

    def forget(self, binding: Binding) -> None:
        """Nobody reads it any more."""
        for tallies in (self._gathering, self._underway):
            for place in [place for place in tallies if place[0] is binding]:
                del tallies[place]
