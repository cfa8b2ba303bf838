"""What is watched of a running agent: its feeds, as `logship.api.Feed` has them.

Every batch is seen when it is taken, settled and given back. What is out is held in memory, and
bounded; what is settled must be durable; at the end nothing may be out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from logship import binder
from logship.batch import Batch
from logship.routes import tallies
from logship.rows.address import Span
from logship.tail.feed import DiskFeed
from logship.world import World
from tests.simulation.destinations import Destination
from tests.simulation.directories import Directories
from tests.simulation.loop import Time
from tests.simulation.truth import Truth

GATHER_SECS = 5.0
"""A storm is over in half a minute."""
Pieces = tuple[Span, ...]


@dataclass(eq=False)
class Life:
    """One process: what its parts need to know of it, and what is seen of it."""

    truth: Truth
    time: Time
    memory_bytes: int
    destinations: dict[str, Destination]
    directories: Directories
    trace: Callable[..., None]
    on_moment: Callable[[str], None]
    alive: bool = True
    out: dict[str, dict[Pieces, Batch]] = field(default_factory=dict)
    """By route: batches that were taken, and neither settled nor given back."""
    held: dict[str, int] = field(default_factory=dict)
    """Bytes of memory that they hold."""
    largest: dict[str, int] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)
    """Rows that were settled, by route."""
    shedding: frozenset[str] = frozenset()
    """Routes that may shed: what is out of them is not held, see `Checks.moment`."""
    _settled: dict[str, list[Span]] = field(default_factory=dict)
    """By route: what was settled in other pieces than it was taken in."""

    def now(self) -> float:
        return self.time.now

    def note(self, moment: str, *what: object) -> None:
        if self.alive:
            self.trace(moment, *what)
            self.on_moment(moment)

    def taken(self, route: str, batch: Batch) -> None:
        if not self.alive:
            return
        out, size = self.out.setdefault(route, {}), batch.held_bytes()
        out[batch.pieces] = batch
        self.held[route] = self.held.get(route, 0) + size
        self.largest[route] = max(size, self.largest.get(route, 0))
        self.note("take", route, batch.origin.key, batch.pieces[0].start, batch.pieces[-1].end)
        limit = self.memory_bytes + sum(self.largest.values())  # one batch always fits
        if sum(size for name, size in self.held.items() if name not in self.shedding) > limit:
            self.truth.problem(f"holds {self.held}, more than {limit} bytes together")

    def back(self, moment: str, route: str, batch: Batch) -> None:
        """Settled or released."""
        if not self.alive:
            return
        self.note(moment, route, batch.origin.key, batch.pieces[0].start, batch.pieces[-1].end)
        taken = self.out.get(route, {}).pop(batch.pieces, None)
        if taken is not None:
            self._back(moment, route, taken)
        elif route in self.shedding and moment == "settle":
            for whole in self._covered(route, batch.pieces):
                self._back(moment, route, whole)
        else:
            self.truth.problem(
                f"route {route}: {moment} of a batch that is not out: {batch.pieces}"
            )

    def _back(self, moment: str, route: str, taken: Batch) -> None:
        self.held[route] -= taken.held_bytes()
        if moment == "settle":
            self.counted[route] = self.counted.get(route, 0) + len(taken.rows)
            self.truth.settled(route, taken.ids())

    def _covered(self, route: str, pieces: Pieces) -> list[Batch]:
        """Batches of which all is settled by now: rows that were dropped are settled together."""
        settled, out = self._settled.setdefault(route, []), self.out.get(route, {})
        settled += pieces
        found = [out.pop(wanted) for wanted in list(out) if all(_in(p, settled) for p in wanted)]
        if not out:
            settled.clear()
        return found


def _in(piece: Span, spans: list[Span]) -> bool:
    return any(
        span.generation == piece.generation and span.start <= piece.start and piece.end <= span.end
        for span in spans
    )


@dataclass(frozen=True, slots=True)
class SimWorld(World):
    life: Life


class WatchedFeed(DiskFeed):
    """The engine's own, seen by its `Life`."""

    def __init__(self, route: str, follower: Any, world: World, *more: Any, **named: Any) -> None:
        super().__init__(route, follower, world, *more, **named)
        assert isinstance(world, SimWorld)
        self._life, self._name = world.life, route

    async def take(self, max_bytes: int) -> Batch | None:
        batch = await super().take(max_bytes)
        if batch is not None:
            self._life.taken(self._name, batch)
        return batch

    def settle(self, batch: Batch) -> None:
        self._life.back("settle", self._name, batch)
        super().settle(batch)

    def release(self, batch: Batch) -> None:
        self._life.back("release", self._name, batch)
        super().release(batch)


@contextmanager
def watched() -> Iterator[None]:
    """The feeds that the binder makes meanwhile are watched; what is dropped is said soon."""
    changed = ((binder, "DiskFeed", WatchedFeed), (tallies, "GATHER_SECS", GATHER_SECS))
    before = [getattr(module, name) for module, name, _ in changed]
    for module, name, value in changed:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(changed, before, strict=True):
            setattr(module, name, value)
