"""What a round trip counts: rows that are lost, doubled or late, on virtual time."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from logship.api import DELIVERED, Again, Batch, Context, Outcome, Refused, Retry, Sink
from logship.checking.roundtrip import ROWS, SINK_SECS, WAIT_SECS, roundtrip
from logship.config import Config, load
from logship.finding import Finding
from logship.registry import Registry
from logship.testing import world
from logship.testing.virtual_time import VirtualClock, run_virtual
from logship.world import World


class NoOptions(msgspec.Struct, frozen=True):
    pass


class Shelf(Sink):
    """Keeps ids, and shows them when the test says."""

    config: ClassVar[type[msgspec.Struct]] = NoOptions
    lose: frozenset[int] = frozenset()
    """Numbers of rows that never appear."""
    double: frozenset[int] = frozenset()
    late_secs: float = 0.0
    failures: int = 0
    outcome: Outcome = DELIVERED
    readable: bool = True
    open: int = 0
    hangs: bool = False

    def __init__(self, context: Context) -> None:
        super().__init__(NoOptions(), context)
        self.rows: list[tuple[str, float]] = []

    async def start(self) -> None:
        self.open += 1

    async def close(self) -> None:
        self.open -= 1

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failures:
            self.failures -= 1
            raise Retry("not now")
        now = self.context.world.clock.now()
        for batch in batches:
            self.rows += [(row_id, now + self.late_secs) for row_id in batch.ids()]
        return self.outcome

    async def read_back(self, batches: Sequence[Batch]) -> Mapping[str, int] | None:
        if not self.readable:
            return None
        now, found = self.context.world.clock.now(), Counter[str]()
        for number, (row_id, at) in enumerate(self.rows):
            if at <= now and number not in self.lose:
                found[row_id] += 2 if number in self.double else 1
        return found


def config() -> Config:
    text = """
    sources: {a: {type: files, paths: [/var/log/*.log]}}
    routes: [{name: a, from: [a], to: a}]
    sinks: {a: {type: "null"}}
    """
    return load(text, file="c", env={}, registry=Registry.installed())


def trip(options: Mapping[str, object], readers: Mapping[str, object] | None = None) -> Finding:
    """The only finding; everything that was started is closed."""
    here = world()

    def shelf(options: Mapping[str, object], using: World) -> Shelf:
        made = Shelf(Context("out", using, logging.getLogger("test")))
        for name, value in options.items():
            setattr(made, name, value)
        return made

    async def run() -> Finding:
        using = World(VirtualClock(), here.disk, here.offload)
        sink = shelf(options, using)
        others = {} if readers is None else {"loader": shelf(readers, using)}
        if others:
            others["loader"].rows = sink.rows  # as if a loader had moved them
        found = [each async for _, each in roundtrip(config(), {"out": sink}, others, using)]
        assert [sink.open, *(other.open for other in others.values())] == [0] * (1 + len(others))
        (only,) = found
        return only

    try:
        return run_virtual(run())
    finally:
        here.offload.close()


def test_all_rows_are_back_at_once() -> None:
    assert trip({}) == Finding(
        "round trip", "ok", "1,000 rows written: 0 lost, 0 doubled, p99 of the delay 0.0 s"
    )


def test_rows_that_never_come_are_lost() -> None:
    found = trip({"lose": frozenset({0, 500, ROWS - 1})})
    assert found.level == "failed"
    assert found.reason.startswith("1,000 rows written: 3 lost, 0 doubled")
    assert f"not there {WAIT_SECS:g} s after they were written" in found.advice


def test_copies_are_counted_and_no_failure() -> None:
    found = trip({"double": frozenset({1, 2})})
    assert (found.level, found.reason[:40]) == ("ok", "1,000 rows written: 0 lost, 2 doubled, p")


def test_the_delay_is_that_of_the_reading_that_showed_a_row() -> None:
    found = trip({"late_secs": 7.0})
    delay = float(found.reason.rpartition(" delay ")[2].removesuffix(" s"))
    assert 7.0 <= delay <= 7.0 + 5.0  # readings are at most five seconds apart


def test_rows_that_come_too_late_are_lost() -> None:
    assert "1000 lost" in trip({"late_secs": 2 * WAIT_SECS}).reason


def test_a_write_that_fails_is_made_again() -> None:
    assert trip({"failures": 4}).level == "ok"
    assert trip({"failures": 5}) == Finding("round trip", "failed", "not now")


def test_rows_that_are_refused_or_have_to_come_again_are_told() -> None:
    refused = trip({"outcome": Outcome(refused=(Refused(0, 0, "why"),))})
    assert refused == Finding("round trip", "failed", "rows are refused: why")
    again = trip({"outcome": Outcome(again=(Again(0, None, "later"),))})
    assert again == Finding("round trip", "failed", "later")


def test_what_cannot_be_read_is_read_at_the_loader() -> None:
    assert trip({"readable": False}).reason.endswith("what is published cannot be read back")
    found = trip({"readable": False}, {"double": frozenset({3})})
    assert found.reason.startswith("1,000 rows written: 0 lost, 1 doubled")


def test_a_sink_that_hangs_is_given_up() -> None:
    assert trip({"hangs": True}).reason == f"it was not over after {SINK_SECS:g} s"
