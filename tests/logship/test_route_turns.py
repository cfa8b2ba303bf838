"""A route reads fairly: floods of one namespace do not delay another one."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from logship.api import Batch, Context, Generation, Outcome, Sink
from logship.batch import Batch as LogBatch
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.origin import Labels, Origin
from logship.outcome import DELIVERED
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.fairness import QUANTUM_BYTES
from logship.routes.route import BLOCK_BYTES, Route
from logship.testing import batch_of, cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World

LOG = logging.getLogger("test")
LINE = cri_line("x" * 1000)


class Backlog:
    """A feed with so many bytes; it is asked again at once, as one of a file is."""

    def __init__(self, namespace: str, number: int, size: int) -> None:
        labels = Labels({"source": "s", "namespace": namespace})
        self.origin = Origin(f"{namespace}/{number}", labels)
        self.left, self.asked = size, 0

    def waiting(self) -> int | None:
        return self.left

    async def take(self, max_bytes: int) -> Batch | None:
        self.asked += 1
        lines = min(max_bytes, self.left) // len(LINE)
        if not lines:
            return None
        self.left -= lines * len(LINE)
        return batch_of([LINE] * lines, self.origin, generation=Generation(1, self.asked))

    def settle(self, batch: Batch) -> None: ...
    def release(self, batch: Batch) -> None: ...


class Count(Sink):
    """Delivers at once; remembers whose bytes came."""

    def __init__(self, world: World) -> None:
        self.context = Context("count", world, LOG)
        self.bytes: Counter[str] = Counter()
        self.order: list[str] = []

    async def write(self, batches: Sequence[LogBatch]) -> Outcome:
        for batch in batches:
            self.bytes[batch.origin.labels.get("namespace")] += batch.size()
            self.order.append(batch.origin.key)
        await asyncio.sleep(0.01)
        return DELIVERED


class Stage:
    def __init__(self, directory: Path) -> None:
        self.world = virtual_world()
        clock, counters, budget = self.world.clock, RouteCounters(), Budget(16 << 20)
        letters = DeadLetters(str(directory), 1 << 20, 60, self.world)
        self.sink = Count(self.world)
        sender = Sender(self.sink, budget, letters, counters, clock, LOG)
        self.route = Route("r", sender, (), budget, counters, clock, LOG)

    def add(self, namespace: str, number: int, size: int) -> Binding:
        binding = Binding(Backlog(namespace, number, size), Selection(), self.route)
        self.route.add(binding)
        return binding

    async def run(self, secs: float) -> None:
        tasks = [asyncio.ensure_future(w) for w in (self.route.pull(), self.route.sender.run())]
        await asyncio.sleep(secs)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_a_namespace_of_many_floods_gets_no_more_than_one_of_one_container(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        for number in range(50):
            stage.add("crowd", number, 1 << 30)
        stage.add("single", 0, 1 << 30)
        await stage.run(1)
        given = stage.sink.bytes
        assert given.total() > 50 * BLOCK_BYTES
        assert abs(given["crowd"] - given["single"]) <= QUANTUM_BYTES + BLOCK_BYTES

    run_virtual(go())


def test_a_quiet_container_is_served_before_its_noisy_neighbours_come_twice(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        for number in range(20):
            stage.add("crowd", number, 1 << 30)
        stage.add("crowd", 99, len(LINE))
        await stage.run(1)
        before = stage.sink.order[: stage.sink.order.index("crowd/99")]
        assert max(Counter(before).values()) == 1

    run_virtual(go())


def test_an_origin_that_goes_while_it_waits_for_its_turn_is_not_read(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        gone, stays = stage.add("a", 0, 1 << 20), stage.add("a", 1, 1 << 20)
        stage.route.remove(gone)
        await stage.run(1)
        assert isinstance(gone.feed, Backlog)
        assert gone.feed.asked == 0
        assert isinstance(stays.feed, Backlog)
        assert stays.feed.left < len(LINE)

    run_virtual(go())


def test_a_blocked_origin_is_not_read_until_it_is_woken(tmp_path: Path) -> None:
    async def go() -> None:
        stage = Stage(tmp_path)
        binding = stage.add("a", 0, 1 << 20)
        binding.blocked = True
        await stage.run(1)
        assert isinstance(binding.feed, Backlog)
        assert binding.feed.asked == 0
        binding.blocked = False
        binding.wake()
        await stage.run(1)
        assert binding.feed.left < len(LINE)

    run_virtual(go())
