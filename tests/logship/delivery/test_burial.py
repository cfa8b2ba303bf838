"""Refused rows for which the dead letters have no room hold their own bindings, and no other."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.api import Batch, Outcome, Refused
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.delivery.destination import LOG, Destination, Endless

BUDGET = 64 << 20


class Refusing(Destination):
    """Refuses the first row of every batch that is not of the origin `good`."""

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        await super().write(batches)
        bad = (n for n, batch in enumerate(batches) if batch.origin.key != "good")
        return Outcome(refused=tuple(Refused(n, 0, "not wanted") for n in bad))


class Node:
    """A route over so many logs with refused rows and a good one, and full dead letters."""

    def __init__(self, directory: Path, world: World, bad: int) -> None:
        self.world, self.budget = world, Budget(BUDGET)
        clock, counters = world.clock, RouteCounters()
        self.letters = directory / "dead"
        self.filler = self.letters / "full.jsonl"
        self.letters.mkdir()
        self.filler.write_bytes(bytes(1 << 20))
        letters = DeadLetters(str(self.letters), 1 << 20, 1e9, world)
        self.sender = Sender(Refusing(world), self.budget, letters, counters, clock, LOG)
        self.route = Route("r", self.sender, (), self.budget, counters, clock, LOG)
        self.counters = counters
        self.good = Endless("good", clock.now)
        self.bad = [Endless(f"bad-{number}", clock.now) for number in range(bad)]
        self.bindings = [Binding(feed, Selection(), self.route) for feed in (*self.bad, self.good)]
        for binding in self.bindings:
            self.route.add(binding)
        self.work = [asyncio.ensure_future(w) for w in (self.route.pull(), self.sender.run())]

    def stop_reading(self) -> None:
        self.work[0].cancel()


@pytest.mark.parametrize("bad", [5, 100])
def test_a_log_without_refused_rows_is_delivered_however_many_others_wait(
    tmp_path: Path, bad: int
) -> None:
    async def go() -> None:
        node = Node(tmp_path, virtual_world(), bad)
        await asyncio.sleep(10)
        before = len(node.good.settled)
        await asyncio.sleep(10)
        assert len(node.good.settled) - before > 100
        assert all(feed.out == feed.taken for feed in node.bad), "settled before it was durable"
        for task in node.work:
            task.cancel()

    run_virtual(go())


def test_what_waits_for_the_dead_letters_holds_its_rows_only_and_is_settled_when_there_is_room(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        node = Node(tmp_path, virtual_world(), 20)
        await asyncio.sleep(10)
        node.stop_reading()
        await asyncio.sleep(1)
        waiting = sum(feed.out for feed in node.bad)
        assert waiting >= 20
        assert 0 < node.budget.held == node.counters.held_bytes < waiting * 2500
        node.filler.unlink()
        await asyncio.sleep(6)
        assert sum(feed.out for feed in node.bad) == node.budget.held == 0
        assert node.counters.dead_rows == waiting
        assert node.counters.unaccounted == node.counters.held_rows == 0
        lines = b"".join(path.read_bytes() for path in node.letters.glob("*.jsonl"))
        assert lines.count(b"not wanted") == waiting
        assert not any(binding.blocked for binding in node.bindings)
        node.work[1].cancel()

    run_virtual(go())
