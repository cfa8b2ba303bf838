"""Every row that was read is somewhere, at any moment: held, delivered, dropped, dead, given back.

The tests' own check (`tests.conservation`) looks when a test ends; here it is looked at all the
time too, and the numbers themselves are told.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from logship.api import Again, Altered, Batch, Context, Outcome, Refused, Retry, Transform
from logship.counters import MAX_NAMESPACES, OTHER, RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.origin import Labels, LogFile, Origin
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.routes.when import Condition
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.tail.loss import Loss, Reason
from logship.testing import cri_line, texts_batch
from logship.testing.virtual_time import run_virtual, virtual_world
from tests import conservation
from tests.logship.test_sender import Answer, ScriptedSink

LOG = logging.getLogger("test")


class DropNoise(Transform):
    """Drops rows that say noise; has a bug as often as it is told to."""

    config = msgspec.Struct
    bugs = 0

    def apply(self, batch: Batch) -> Batch:
        if self.bugs:
            self.bugs -= 1
            raise ZeroDivisionError
        return batch.keep(["noise" not in text for text in batch.rows.texts])


class Stage:
    """A log on the disk, a route, a sink."""

    def __init__(self, directory: Path, script: list[Answer], lines: Sequence[bytes]) -> None:
        world = virtual_world()
        (directory / "0.log").write_bytes(b"".join(lines))
        context = Context("out", world, LOG)
        self.counters, self.budget = RouteCounters(), Budget(1 << 20)
        self.sink = ScriptedSink(context, script)
        letters = DeadLetters(str(directory / "dead"), 1 << 20, 3600, world)
        sender = Sender(self.sink, self.budget, letters, self.counters, world.clock, LOG)
        self.drop = DropNoise(msgspec.Struct(), context)
        rules = [("drop_noise", self.drop)]
        self.route = Route("r", sender, rules, self.budget, self.counters, world.clock, LOG)
        origin = Origin("c/uid/app/0", Labels({"namespace": "shop", "pod": "web-0"}))
        follower = Follower(origin, LogFile(str(directory), "0.log", Cutting()), world, LOG)
        follower.refresh()
        feed = DiskFeed("r", follower, world, None, lambda: None, lambda loss: None)
        follower.feeds.append(feed)
        stderr = Selection(above=(Condition(stream="stderr"),))
        self.binding = Binding(feed, stderr, self.route)
        feed.on_ready = self.binding.wake

    async def run(self, secs: float) -> None:
        self.route.add(self.binding)
        work = [self.route.pull(), self.route.sender.run(), self._look()]
        tasks = [asyncio.ensure_future(one) for one in work]
        await asyncio.sleep(secs)
        for task in tasks:
            assert not task.done(), task.exception()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            conservation.check()
            self.binding.wake()  # as the pulse would: what is open has waited long enough
            await asyncio.sleep(0.05)


def staged(
    directory: Path,
    script: list[Answer],
    lines: Sequence[bytes],
    work: Callable[[Stage], Awaitable[None]],
) -> RouteCounters:
    async def go() -> RouteCounters:
        stage = Stage(directory, script, lines)
        await work(stage)
        return stage.counters

    return run_virtual(go())


def rows(*texts: str) -> list[bytes]:
    return [cri_line(text, time_ns=1_795_000_000_000_000_000 + n) for n, text in enumerate(texts)]


async def for_a_minute(stage: Stage) -> None:
    await stage.run(60)


def test_rows_that_are_joined_dropped_and_passed_count_once_each(tmp_path: Path) -> None:
    parts = [cri_line("two ", tag="P"), cri_line("parts")]
    lines = [*rows("a", "noise"), cri_line("of another route", stream="stderr"), *parts]
    found = staged(tmp_path, [], lines, for_a_minute)
    assert (found.read_rows, found.delivered_rows, found.passed_rows) == (4, 2, 1)
    assert (dict(found.dropped_rows), found.held_rows) == ({"drop_noise": 1}, 0)


def test_rows_that_come_again_alone_count_once(tmp_path: Path) -> None:
    def busy(batches: Sequence[Batch]) -> Outcome:
        return Outcome(again=(Again(0, [1], "busy"),))

    found = staged(tmp_path, [busy, busy], rows("a", "b", "c"), for_a_minute)
    assert (found.read_rows, found.delivered_rows) == (3, 3)


def test_dead_rows_count_once_however_often_they_are_refused(tmp_path: Path) -> None:
    def poisoned(batches: Sequence[Batch]) -> Outcome:
        return Outcome(refused=(Refused(0, 1, "too strange"), Refused(0, 1, "and too long")))

    found = staged(tmp_path, [poisoned], rows("a", "b", "c"), for_a_minute)
    assert (found.read_rows, found.delivered_rows, found.dead_rows) == (3, 2, 1)


def test_what_is_given_back_and_read_again_is_counted_apart(tmp_path: Path) -> None:
    """Of three rows one was delivered before the sink went away: it arrives twice."""

    def one_lands(batches: Sequence[Batch]) -> Outcome:
        return Outcome(again=(Again(0, [1, 2], "down", after=20.0),))

    found = staged(tmp_path, [one_lands], rows("a", "b", "c"), for_a_minute)
    assert (found.read_rows, found.reread_rows) == (3, 3)
    assert (found.released_rows, found.delivered_rows) == (2, 4)


def test_while_a_sink_is_away_its_rows_are_given_back_not_held(tmp_path: Path) -> None:
    def away(batches: Sequence[Batch]) -> Outcome:
        raise Retry("down", after=3600.0)

    found = staged(tmp_path, [away], rows("a", "b"), for_a_minute)
    assert (found.read_rows, found.released_rows, found.held_rows) == (2, 2, 0)


def test_rows_in_the_middle_of_a_write_are_held(tmp_path: Path) -> None:
    async def cut_off(stage: Stage) -> None:
        stage.sink.secs = 1000
        await stage.run(60)

    found = staged(tmp_path, [], rows("a", "b"), cut_off)
    assert (found.read_rows, found.delivered_rows, found.held_rows) == (2, 0, 2)


def test_a_bug_in_a_transform_leaves_every_row_accounted_for(tmp_path: Path) -> None:
    async def with_a_bug(stage: Stage) -> None:
        stage.drop.bugs = 1
        await stage.run(60)

    lines = [*rows("a", "noise"), cri_line("of another route", stream="stderr")]
    found = staged(tmp_path, [], lines, with_a_bug)
    assert (found.read_rows, found.reread_rows, found.released_rows) == (3, 3, 3)
    assert (found.delivered_rows, found.dropped_rows.total(), found.passed_rows) == (1, 1, 1)


def test_rows_that_are_not_as_they_were_written_are_counted_by_what_happened(
    tmp_path: Path,
) -> None:
    """Those that the sink tells of, and dangling parts; a part that comes again counts once."""

    def cuts_one(batches: Sequence[Batch]) -> Outcome:
        return Outcome(again=(Again(0, [1], "busy"),), altered=(Altered(1, "shortened"),))

    lines = [*rows("a"), cri_line("without its end", tag="P", stream="stdout")]
    found = staged(tmp_path, [cuts_one], [*lines, b"no line of CRI\n"], for_a_minute)
    assert (found.read_rows, found.delivered_rows) == (3, 3)
    assert dict(found.altered_rows) == {"shortened": 1, "malformed": 1, "unfinished": 1}


def test_a_row_that_vanishes_is_seen(tmp_path: Path) -> None:
    """The check itself can fail."""

    async def lose_two(stage: Stage) -> None:
        stage.counters.read("shop", texts_batch(["a", "b"]))

    staged(tmp_path, [], rows("a"), lose_two)
    with pytest.raises(AssertionError, match="2 rows unaccounted for"):
        conservation.check()
    conservation.begin()


def test_the_number_of_namespaces_that_are_counted_by_name_is_bounded() -> None:
    counters = RouteCounters()
    for number in range(MAX_NAMESPACES + 5):
        counters.read(f"ns-{number}", texts_batch(["a"]))
        counters.lose(f"ns-{number}", Loss(Reason.TRUNCATED, 1, True))
    assert len(counters.read_by) == MAX_NAMESPACES + 1
    assert counters.read_by[OTHER].rows == 5
    assert counters.lost[OTHER, Reason.TRUNCATED].bytes == 5
    assert sum(read.rows for read in counters.read_by.values()) == counters.read_rows
