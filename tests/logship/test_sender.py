"""The sender on virtual time: nothing is settled before it is durable, nothing waits for ever."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from logship.api import DELIVERED, Again, Batch, Context, Outcome, Refused, Retry, Sink
from logship.counters import RouteCounters
from logship.delivery.circuit import RELEASE_SECS
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.delivery.terms import Terms
from logship.delivery.window import START
from logship.testing import texts_batch
from logship.testing.virtual_time import run_virtual, virtual_world

MAX_DELAY_SECS = Terms().max_delay_secs
Answer = Callable[[Sequence[Batch]], Outcome]


class ScriptedSink(Sink):
    """Answers each write by the next entry of its script, then delivers."""

    config = msgspec.Struct
    request_bytes = 1000

    def __init__(self, context: Context, script: list[Answer], secs: float = 0.01) -> None:
        super().__init__(msgspec.Struct(), context)
        self.script, self.secs = script, secs
        self.durable: list[str] = []
        self.writes = 0
        self.in_flight = self.most_in_flight = 0

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        self.writes += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(self.secs)
        self.in_flight -= 1
        outcome = self.script.pop(0)(batches) if self.script else DELIVERED
        named = {(r.batch, r.row) for r in outcome.refused}
        for again in outcome.again:
            rows = range(len(batches[again.batch].rows)) if again.rows is None else again.rows
            named |= {(again.batch, row) for row in rows}
        self.durable += [
            text
            for number, batch in enumerate(batches)
            for row, text in enumerate(batch.rows.texts)
            if (number, row) not in named
        ]
        return outcome


@dataclass
class Recorder:
    """A reader that remembers what was settled and released."""

    settled: list[Batch] = field(default_factory=list)
    released: list[Batch] = field(default_factory=list)
    blocked: bool = False
    woken: int = 0

    def settle(self, batch: Batch) -> None:
        self.settled.append(batch)

    def release(self, batch: Batch) -> None:
        self.released.append(batch)

    def wake(self) -> None:
        self.woken += 1


@dataclass
class Bench:
    sink: ScriptedSink
    sender: Sender
    reader: Recorder
    budget: Budget
    counters: RouteCounters


def on_bench(
    script: list[Answer],
    work: Callable[[Bench], Awaitable[None]],
    tmp: Path,
    dead_bytes: int = 1 << 20,
) -> None:
    async def go() -> None:
        random.seed(1)
        world = virtual_world()
        log = logging.getLogger("test")
        sink = ScriptedSink(Context("sink", world, log), script)
        budget, counters = Budget(1 << 20), RouteCounters()
        letters = DeadLetters(str(tmp / "dead"), dead_bytes, 3600, world)
        sender = Sender(sink, budget, letters, counters, world.clock, log)
        running = asyncio.ensure_future(sender.run())
        await work(Bench(sink, sender, Recorder(), budget, counters))
        running.cancel()

    run_virtual(go())


def retry(batches: Sequence[Batch]) -> Outcome:
    raise Retry("busy")


def test_a_batch_is_settled_only_after_it_is_durable(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        bench.sender.offer(bench.reader, texts_batch(["a"]))
        await asyncio.sleep(MAX_DELAY_SECS)
        assert bench.reader.settled == []
        await asyncio.sleep(5)
        assert len(bench.reader.settled) == 1
        assert bench.sink.durable == ["a"]
        assert bench.budget.held == 0
        assert bench.sender.idle

    on_bench([retry, retry], work, tmp_path)


def test_several_writes_are_in_flight_but_no_more_than_the_window(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for number in range(START * 3):
            bench.sender.offer(bench.reader, texts_batch([f"{number} " + "x" * 2000]))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.sleep(5)
        assert bench.sink.most_in_flight == START
        assert len(bench.reader.settled) == START * 3

    on_bench([], work, tmp_path)


def test_a_bug_in_a_sink_loses_nothing(tmp_path: Path) -> None:
    def bug(batches: Sequence[Batch]) -> Outcome:
        raise ZeroDivisionError

    async def work(bench: Bench) -> None:
        bench.sender.offer(bench.reader, texts_batch(["a"]))
        await asyncio.sleep(5)
        assert bench.sink.durable == ["a"]
        assert bench.counters.bugs == 1

    on_bench([bug], work, tmp_path)


def test_only_the_named_rows_go_again(tmp_path: Path) -> None:
    def second_row(batches: Sequence[Batch]) -> Outcome:
        return Outcome(again=(Again(0, [1], "busy"),))

    async def work(bench: Bench) -> None:
        bench.sender.offer(bench.reader, texts_batch(["a", "b", "c"]))
        await asyncio.sleep(5)
        assert bench.sink.durable == ["a", "c", "b"]
        assert bench.counters.delivered_rows == 3
        assert len(bench.reader.settled) == 1

    on_bench([second_row], work, tmp_path)


def test_a_long_wait_is_made_without_holding_anything(tmp_path: Path) -> None:
    def away(batches: Sequence[Batch]) -> Outcome:
        raise Retry("down", after=60.0)

    async def work(bench: Bench) -> None:
        batch = texts_batch(["a"])
        bench.sender.offer(bench.reader, batch)
        await asyncio.sleep(1)
        assert [b.block for b in bench.reader.released] == [batch.block]
        assert bench.budget.held == 0
        assert bench.sender.paused_secs > RELEASE_SECS
        await asyncio.sleep(60)
        assert bench.sender.paused_secs == 0
        bench.sender.offer(bench.reader, batch)
        await asyncio.sleep(1)
        assert bench.sink.durable == ["a"]
        assert len(bench.reader.settled) == 1

    on_bench([away], work, tmp_path)


def test_a_refused_row_goes_to_the_dead_letters_and_its_neighbours_land(tmp_path: Path) -> None:
    def poisoned(batches: Sequence[Batch]) -> Outcome:
        return Outcome(refused=(Refused(0, 1, "too strange"),))

    async def work(bench: Bench) -> None:
        bench.sender.offer(bench.reader, texts_batch(["a", "b", "c"]))
        await asyncio.sleep(1)
        assert bench.sink.durable == ["a", "c"]
        assert len(bench.reader.settled) == 1
        assert (bench.counters.dead_rows, bench.counters.delivered_rows) == (1, 2)
        [segment] = (tmp_path / "dead").glob("*.jsonl")
        letter = msgspec.json.decode(segment.read_bytes())
        assert (letter["text"], letter["reason"]) == ("b", "too strange")
        assert segment.stat().st_mode & 0o777 == 0o600

    on_bench([poisoned], work, tmp_path)


def test_full_dead_letters_hold_only_their_binding(tmp_path: Path) -> None:
    def poisoned(batches: Sequence[Batch]) -> Outcome:
        return Outcome(refused=(Refused(0, 0, "too strange"),))

    async def work(bench: Bench) -> None:
        other = Recorder()
        bench.sender.offer(bench.reader, texts_batch(["a" * 1000]))
        await asyncio.sleep(1)
        assert bench.reader.blocked
        assert bench.reader.settled == []
        bench.sender.offer(other, texts_batch(["b"]))
        await asyncio.sleep(1)
        assert len(other.settled) == 1
        assert "max_bytes" in bench.counters.last_error

    on_bench([poisoned], work, tmp_path, dead_bytes=100)


@pytest.mark.parametrize("timeout", [0.0, 5.0])
def test_draining_ends_in_time_and_settles_only_what_was_delivered(
    tmp_path: Path, timeout: float
) -> None:
    async def work(bench: Bench) -> None:
        bench.sink.secs = 1.0
        bench.sender.offer(bench.reader, texts_batch(["a"]))
        await asyncio.sleep(MAX_DELAY_SECS + 0.1)
        await bench.sender.drain(timeout)
        assert len(bench.reader.settled) == (1 if timeout else 0)
        assert bench.sink.durable == (["a"] if timeout else [])

    on_bench([], work, tmp_path)
