"""Rows that the agent writes itself: they arrive, once an hour, and are counted apart."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.api import Again, Batch, Cutting, Outcome, Refused, Retry
from logship.entry import Entry
from logship.notice import notice
from logship.origin import Labels, LogFile, Origin, Problem
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.when import Condition
from logship.testing import origin_of
from logship.testing.virtual_time import EPOCH_NS, VirtualClock, run_virtual
from logship.wishes import MAX_SHOWN, MAX_TOLD, NOTICE_SECS, Wishes
from tests.logship.test_conservation import Stage, for_a_minute, rows, staged

LOG = logging.getLogger("test")
PROBLEM = Problem("wrong_value", "logship/limit", "fast", "expected a rate")


def made(about: str = "x", time_ns: int = EPOCH_NS) -> Batch:
    return notice(origin_of(), "annotation", about, "look here", time_ns)


def test_the_same_notice_is_the_same_row_and_another_one_is_another() -> None:
    assert made().ids() == made().ids()
    assert len({*made().ids(), *made("y").ids(), *made(time_ns=EPOCH_NS + 1).ids()}) == 3
    assert made().rows.texts == ['{"severity":"WARNING","message":"look here"}']
    assert (made().size(), made().row_count()) == (0, 1)
    assert made().extra == {"logship/notice": "annotation"}


def test_a_notice_arrives_and_moves_no_position(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.binding.tell(made())
        assert stage.binding.owes
        await stage.run(60)
        assert not stage.binding.owes

    found = staged(tmp_path, [], rows("a"), work)
    assert (found.made_rows, found.read_rows, found.delivered_rows) == (1, 1, 2)
    assert found.unaccounted == 0


def test_a_notice_that_a_failing_sink_gives_back_comes_again_and_again(tmp_path: Path) -> None:
    def away(batches: Sequence[Batch]) -> Outcome:
        raise Retry("down", after=20.0)

    async def work(stage: Stage) -> None:
        stage.binding.tell(made())
        await stage.run(120)
        assert not stage.binding.owes

    found = staged(tmp_path, [away, away], rows("a"), work)
    assert (found.made_rows, found.read_rows) == (1, 1)
    assert found.delivered_rows == 2
    assert found.released_rows == found.reread_rows > 0


def test_a_notice_that_is_sent_again_alone_or_refused_is_accounted_for(tmp_path: Path) -> None:
    def busy(batches: Sequence[Batch]) -> Outcome:
        return Outcome(again=(Again(0, [0], "busy"),))

    def never(batches: Sequence[Batch]) -> Outcome:
        return Outcome(refused=(Refused(0, 0, "no"),))

    async def work(stage: Stage) -> None:
        stage.binding.tell(made())
        await for_a_minute(stage)
        assert not stage.binding.owes

    found = staged(tmp_path, [busy, never], rows(), work)
    assert (found.made_rows, found.dead_rows, found.delivered_rows) == (1, 1, 0)


def test_a_notice_passes_by_conditions_and_transforms(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.binding.tell(notice(origin_of(), "annotation", "x", "noise", EPOCH_NS))
        await stage.run(60)

    found = staged(tmp_path, [], rows("noise"), work)
    assert (found.delivered_rows, dict(found.dropped_rows)) == (1, {"drop_noise": 1})


class Ready:
    name = "r"

    def ready(self, binding: Binding) -> None: ...


class NoFeed:
    def __init__(self, origin: Origin) -> None:
        self.origin = origin


def entry(pod: str = "web", restart: int = 0, *conditions: Condition | None) -> Entry:
    labels = Labels({"namespace": "shop", "pod": pod, "uid": pod, "container": "app"})
    origin = Origin(f"c/{pod}/app/{restart}", labels)
    log = LogFile("/nowhere", "0.log", Cutting())
    found = Entry(origin, log, "pods", None, 0.0, True, decided=True)
    for number, condition in enumerate(conditions or (None,)):
        binding = Binding(NoFeed(origin), Selection(condition), Ready())  # type: ignore[arg-type]
        found.bindings[f"r{number}"] = binding
    return found


def told(of: Entry) -> list[int]:
    return [len(binding.notices) for binding in of.bindings.values()]


def test_a_problem_is_told_once_an_hour_for_each_pod(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        wishes = Wishes(VirtualClock(), LOG)
        first, again, other = entry(), entry(restart=1), entry("api")
        for one in (first, first, again, other):
            wishes.tell(one, [PROBLEM])
        assert [told(one) for one in (first, again, other)] == [[1], [0], [1]]
        await asyncio.sleep(NOTICE_SECS - 1)
        wishes.tell(again, [PROBLEM])
        assert told(again) == [0]
        await asyncio.sleep(1)
        wishes.tell(again, [PROBLEM])
        assert told(again) == [1]
        assert wishes.counts == {"wrong_value": 3}

    run_virtual(work())
    assert len(caplog.records) == 3


def test_the_row_goes_to_who_takes_rows_without_a_condition() -> None:
    async def work() -> None:
        wishes, errors = Wishes(VirtualClock(), LOG), Condition(stream="stderr")
        mixed, never = entry("a", 0, errors, None), entry("b", 0, errors, errors)
        wishes.tell(mixed, [PROBLEM])
        wishes.tell(never, [PROBLEM])
        assert (told(mixed), told(never)) == ([0, 1], [0, 1])

    run_virtual(work())


def test_a_row_that_is_told_again_in_the_hour_after_a_restart_is_the_same() -> None:
    async def ids(secs: float) -> list[str]:
        await asyncio.sleep(secs)
        one = entry()
        Wishes(VirtualClock(), LOG).tell(one, [PROBLEM])
        (binding,) = one.bindings.values()
        return binding.notices[0].ids()

    hour = NOTICE_SECS - EPOCH_NS // 1_000_000_000 % NOTICE_SECS
    first, same, later = (run_virtual(ids(secs)) for secs in (hour, hour + 3599, hour + 3600))
    assert first == same != later


def test_what_is_remembered_shown_and_logged_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        wishes = Wishes(VirtualClock(), LOG)
        for number in range(MAX_TOLD + 100):
            value = "key=" + "x" * 5000
            wishes.tell(entry(f"p{number}"), [Problem("wrong_value", "a", value, "b")])
        assert len(wishes._told_at) == MAX_TOLD
        shown = wishes.as_dict(EPOCH_NS)
        assert shown["count"] == MAX_TOLD + 100
        latest = shown["latest"]
        assert isinstance(latest, list)
        assert len(latest) == MAX_SHOWN
        assert len(latest[0]["value"]) <= 200
        assert latest[0]["pod"] == f"p{MAX_TOLD + 99}"

    run_virtual(work())
    assert len(caplog.records) == 20


def test_an_origin_stays_until_what_is_said_about_it_is_delivered() -> None:
    one = entry()
    assert one.finished
    (binding,) = one.bindings.values()
    binding.tell(made())
    assert not one.finished
    taken = binding.next_notice()
    assert taken is not None
    assert not one.finished
    binding.settle(taken)
    assert one.finished
