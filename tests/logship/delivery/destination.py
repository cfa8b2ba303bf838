"""A destination on virtual time, and a route that always has something to write."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from logship.api import DELIVERED, Batch, Context, Generation, Outcome, Retry, Sink
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.rate import Rate
from logship.delivery.sender import Sender
from logship.delivery.terms import Terms
from logship.origin import Labels, Origin
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import BLOCK_BYTES, Route
from logship.testing import batch_of, cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World

LOG = logging.getLogger("test")
LINE = cri_line("x" * 1000)
BLOCK = LINE * (BLOCK_BYTES // len(LINE))


class Destination(Sink):
    """Serves `parallel` writes at once, each `secs` long; `rule` may raise or answer before."""

    config = msgspec.Struct

    def __init__(self, world: World, name: str = "sink") -> None:
        super().__init__(msgspec.Struct(), Context(name, world, LOG))
        self.parallel, self.secs, self.way_secs = 1000, 0.1, 0.0
        self.rule: Callable[[], Awaitable[None]] | None = None
        self.served = self.in_flight = self.most_in_flight = 0
        self.began: list[float] = []
        self.bytes = 0
        self._turn: asyncio.Condition = asyncio.Condition()

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        self.began.append(self.context.world.clock.now())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.way_secs)
            if self.rule is not None:
                await self.rule()
            await self._serve()
            self.bytes += sum(batch.size() for batch in batches)
        finally:
            self.in_flight -= 1
        return DELIVERED

    async def _serve(self) -> None:
        async with self._turn:
            await self._turn.wait_for(lambda: self.served < self.parallel)
            self.served += 1
        await asyncio.sleep(self.secs)
        async with self._turn:
            self.served -= 1
            self._turn.notify()


class Endless:
    """A feed that always has a block; what was released comes again."""

    def __init__(self, name: str, settled_at: Callable[[], float]) -> None:
        self.origin = Origin(name, Labels({"source": "s", "namespace": "n"}))
        self._now = settled_at
        self.taken = self.out = 0
        self.settled: list[float] = []
        self.delays: list[float] = []
        self.released = 0

    def waiting(self) -> int | None:
        return 1 << 30

    async def take(self, max_bytes: int) -> Batch | None:
        self.taken += 1
        self.out += 1
        batch = batch_of([BLOCK], self.origin, generation=Generation(1, self.taken))
        batch.feed_key = self._now()
        return batch

    def settle(self, batch: Batch) -> None:
        assert isinstance(batch.feed_key, float)
        self.out -= 1
        self.settled.append(self._now())
        self.delays.append(self._now() - batch.feed_key)

    def release(self, batch: Batch) -> None:
        self.out -= 1
        self.released += 1


class Stage:
    """One route, one destination, an endless feed."""

    def __init__(
        self,
        directory: Path,
        world: World,
        name: str = "r",
        budget: Budget | None = None,
        terms: Terms | None = None,
        rate: Rate | None = None,
    ) -> None:
        self.world, clock = world, world.clock
        self.sink = Destination(world, f"sink-{name}")
        self.budget = budget or Budget(256 << 20)
        self.counters = RouteCounters()
        letters = DeadLetters(str(directory / "dead"), 1 << 20, 60, world)
        self.sender = Sender(
            self.sink, self.budget, letters, self.counters, clock, LOG, terms or Terms(), rate
        )
        self.route = Route(name, self.sender, (), self.budget, self.counters, clock, LOG)
        self.feed = Endless(name, clock.now)
        self.route.add(Binding(self.feed, Selection(), self.route))
        self._tasks: list[asyncio.Future[None]] = []

    def begin(self) -> None:
        work = (self.route.pull(), self.sender.run())
        self._tasks = [asyncio.ensure_future(each) for each in work]

    def stop(self) -> None:
        """Read no more; what has been read goes on."""
        self._tasks[0].cancel()

    async def run(self, secs: float) -> None:
        if not self._tasks:
            self.begin()
        await asyncio.sleep(secs)

    @property
    def window(self) -> int:
        return self.counters.window


def on_stage(
    directory: Path, work: Callable[[Stage], Awaitable[None]], terms: Terms | None = None
) -> None:
    async def go() -> None:
        random.seed(1)
        stage = Stage(directory, virtual_world(), terms=terms)
        await work(stage)

    run_virtual(go())


def away(after: float | None = None) -> Callable[[], Awaitable[None]]:
    async def rule() -> None:
        raise Retry("nobody there", after)

    return rule


class Quota:
    """So many writes a second; the others are refused."""

    def __init__(self, world: World, writes_per_sec: float) -> None:
        self._clock, self._rate = world.clock, writes_per_sec
        self._level, self._at = 1.0, 0.0
        self.refused = 0

    async def __call__(self) -> None:
        now = self._clock.now()
        self._level = min(1.0, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1.0:
            self.refused += 1
            raise Retry("HTTP 429", throttled=True)
        self._level -= 1.0
