"""A route that sheds: what it drops, what it keeps, what it says, and when."""

import logging
from functools import partial
from pathlib import Path

import msgspec
import pytest

from logship.batch import COLUMN_BYTES
from logship.delivery.limits import HELD_PER_BYTE
from logship.origin import Rotation
from logship.routes.match import Match
from logship.routes.shed_options import ShedConfig, ShedRule
from logship.routes.tallies import GATHER_SECS
from tests.logship.shedding.shed_stage import DEBUG, INFO, QUOTA, Container, Stage, on_stage, said


class Writer:
    """Rows of each severity, every second."""

    def __init__(self, app: Container, *severities: str, rows: int = 5, size: int = 0) -> None:
        self.app, self.severities, self.rows, self.size = app, severities, rows, size
        self.written = 0
        """Of each severity."""

    def __call__(self) -> None:
        for severity in self.severities:
            numbers = range(self.written, self.written + self.rows)
            text = "x" * self.size
            self.app.write(*(said(severity, f"{severity} {n} {text}") for n in numbers))
        self.written += self.rows


def arrived(stage: Stage, severity: str) -> int:
    return sum(text.startswith(f"{severity} ") for text in stage.sink.texts)


def test_a_spell_of_refusals_sheds_debug_then_info_never_errors_and_says_so(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        write = Writer(app, "DEBUG", "INFO", "ERROR")
        stage.sink.mood = "refuses"
        await stage.run(60, write)
        assert stage.shedding.as_dict()["severities"] == ["DEBUG", "INFO"]
        assert stage.shedding.as_dict()["why"] == "quota"
        stage.sink.mood = "takes"
        await stage.run(120)
        assert stage.shedding.stage == 0
        assert app.settled_all()
        assert arrived(stage, "ERROR") == write.written
        for severity in ("DEBUG", "INFO"):
            dropped = stage.sink.announced(severity)
            assert arrived(stage, severity) + dropped == write.written
            assert dropped == stage.dropped(severity.lower()) > 100
        assert stage.sink.announced("DEBUG") > stage.sink.announced("INFO")
        counters = stage.counters
        assert counters.summary_rows == len(stage.sink.summaries) > 0
        assert counters.read_rows == 3 * write.written

    on_stage(lambda: Stage(tmp_path), work)


@pytest.mark.parametrize("mood", ["fails", "takes"])
def test_an_outage_or_a_full_window_drops_nothing(tmp_path: Path, mood: str) -> None:
    async def work(stage: Stage) -> None:
        write = Writer(stage.container("web-0"), "DEBUG", rows=300, size=1000)
        stage.sink.mood = mood
        await stage.run(60, write)
        assert not stage.counters.dropped_rows
        stage.sink.mood = "takes"
        await stage.run(100)
        assert arrived(stage, "DEBUG") == write.written

    on_stage(lambda: Stage(tmp_path, memory=1 << 20), work)


def test_a_route_without_the_option_drops_nothing(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        write = Writer(stage.container("web-0"), "DEBUG")
        stage.sink.mood = "refuses"
        await stage.run(200, write)
        stage.sink.mood = "takes"
        await stage.run(100)
        assert arrived(stage, "DEBUG") == write.written

    on_stage(lambda: Stage(tmp_path, None), work)


def test_rotation_that_comes_near_begins_it(tmp_path: Path) -> None:
    """Of an outage, in which nothing is refused for quota: only what is written counts."""
    options = ShedConfig(rules=(DEBUG,), rotation_risk_secs=100.0, calm_secs=20.0)

    async def work(stage: Stage) -> None:
        app = stage.container("web-0", rotation=Rotation(20_000, 5))
        write = Writer(app, "DEBUG", rows=10, size=100)
        stage.sink.mood = "fails"
        await stage.run(200, write)
        at = stage.shedding.as_dict()
        assert (at["why"], at["severities"]) == ("rotation", ["DEBUG"])
        assert app.feed.waiting() < 20_000
        assert stage.dropped("debug") > 0
        assert not stage.sink.arrived  # it is down, and nothing is settled
        assert app.feed.committed is not None
        assert app.feed.committed.offset == 0
        stage.sink.mood = "takes"
        await stage.run(100)
        assert app.settled_all()
        assert arrived(stage, "DEBUG") + stage.sink.announced("DEBUG") == write.written
        assert any("rotation was about to" in text for text in stage.sink.summaries)

    on_stage(lambda: Stage(tmp_path, options), work)


def test_rules_are_for_the_origins_they_name(tmp_path: Path) -> None:
    rule = ShedRule(name="noisy", match=Match(namespace="noisy-*"), severity="DEBUG")
    options = msgspec.structs.replace(QUOTA, rules=(rule,))

    async def work(stage: Stage) -> None:
        noisy = Writer(stage.container("a-0", "noisy-1"), "DEBUG")
        quiet = Writer(stage.container("b-0", "calm"), "DEBUG")
        stage.sink.mood = "refuses"
        await stage.run(60, lambda: (noisy(), quiet()))
        stage.sink.mood = "takes"
        await stage.run(120)
        there = [row for row, text in stage.sink.arrived.items() if "DEBUG" in text]
        quiet_origin = quiet.app.feed.origin.digest
        assert len([row for row in there if row.startswith(quiet_origin)]) == quiet.written
        assert stage.dropped("noisy") == stage.sink.announced("DEBUG") > 0
        assert {*stage.counters.dropped_rows} == {"shed:noisy"}

    on_stage(lambda: Stage(tmp_path, options), work)


def test_what_must_be_kept_waits_within_the_memory_and_only_its_origin_stands(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        stubborn = Writer(stage.container("a-0", "a"), "ERROR", rows=300, size=1000)
        yielding = Writer(stage.container("b-0", "b"), "DEBUG", rows=300, size=1000)
        stage.sink.mood = "refuses"
        await stage.run(40, lambda: (stubborn(), yielding()))
        assert stage.shedding.as_dict()["parked_origins"] == 1
        assert stubborn.app.binding.parked
        assert stubborn.app.feed.waiting() > 5_000_000
        assert yielding.app.feed.waiting() < 1_000_000
        assert stage.shedding.kept_bytes() <= stage.budget.own_bytes
        stage.sink.mood = "takes"
        await stage.run(150)
        assert arrived(stage, "ERROR") == stubborn.written
        assert not stubborn.app.binding.parked
        assert stubborn.app.settled_all()
        assert yielding.app.settled_all()

    on_stage(lambda: Stage(tmp_path, memory=2 << 20), work)


def test_a_few_rows_do_not_hold_the_block_they_came_in(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        flood = Writer(app, "DEBUG", rows=100, size=1000)
        stage.sink.mood = "refuses"
        await stage.run(60, lambda: (flood(), app.write(said("ERROR", "ERROR so it is"))))
        kept = stage.shedding.kept_bytes()
        assert 0 < kept < 60 * (HELD_PER_BYTE * 100 + 2 * COLUMN_BYTES) + 2 * 100_000 * 5
        stage.sink.mood = "takes"
        await stage.run(100)
        assert arrived(stage, "ERROR") == 60

    on_stage(lambda: Stage(tmp_path), work)


def test_a_batch_of_which_nothing_is_dropped_is_shipped_untouched(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        errors = Writer(stage.container("a-0"), "ERROR")
        debug = Writer(stage.container("b-0"), "DEBUG")
        stage.sink.mood = "refuses"
        await stage.run(30, lambda: (errors(), debug()))
        stage.sink.mood = "takes"
        await stage.run(60)
        touched = {b.touched for b in stage.sink.batches if b.origin is errors.app.feed.origin}
        assert touched == {False}

    on_stage(lambda: Stage(tmp_path), work)


def test_nothing_is_settled_before_its_summary_is_durable(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(20, Writer(app, "DEBUG"))
        await stage.run(int(GATHER_SECS) * 3)
        assert stage.dropped("debug") == 100
        assert app.feed.committed is not None
        assert app.feed.committed.offset == 0
        stage.sink.mood = "takes"
        await stage.run(60)
        assert stage.sink.announced("DEBUG") == 100
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)


def test_a_long_spell_makes_summaries_larger_not_more(tmp_path: Path) -> None:
    """While nothing is taken one is underway, and one gathers."""

    async def work(stage: Stage) -> None:
        stage.sink.mood = "refuses"
        await stage.run(int(GATHER_SECS) * 20, Writer(stage.container("web-0"), "DEBUG"))
        assert stage.counters.summary_rows == 1
        assert stage.dropped("debug") > 4000
        stage.sink.mood = "takes"
        await stage.run(90)
        assert len(stage.sink.summaries) == 2
        assert stage.sink.announced("DEBUG") == stage.dropped("debug")

    on_stage(lambda: Stage(tmp_path), work)


def test_an_agent_that_dies_reads_again_and_says_the_same(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(2)
        app.write(*(said("DEBUG", f"DEBUG {n}") for n in range(100)))
        await stage.run(30)
        stage.sink.mood = "takes"
        await stage.run(60)
        assert stage.sink.announced("DEBUG") == 100

    directories = [tmp_path / "one", tmp_path / "other"]
    for directory in directories:
        directory.mkdir()
    one, other = (on_stage(partial(Stage, directory), work) for directory in directories)
    assert one.sink.arrived == other.sink.arrived
    assert len(one.sink.arrived) == 1


def test_an_agent_that_stops_says_what_it_dropped_and_delivers_what_it_kept(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        write = Writer(app, "DEBUG", "ERROR")
        stage.sink.mood = "refuses"
        await stage.run(20, write)
        stage.sink.mood = "takes"
        await stage.stop_reading()
        await stage.route.drain(40.0)
        assert arrived(stage, "ERROR") == write.written
        assert arrived(stage, "DEBUG") + stage.sink.announced("DEBUG") == write.written
        assert app.settled_all()
        assert stage.budget.empty

    on_stage(lambda: Stage(tmp_path), work)


def test_an_agent_that_stops_while_nothing_is_taken_settles_nothing(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood = "refuses"
        await stage.run(20, Writer(app, "DEBUG", "ERROR"))
        await stage.stop_reading()
        await stage.route.drain(10.0)
        assert app.feed.committed is not None
        assert app.feed.committed.offset == 0

    on_stage(lambda: Stage(tmp_path), work)


def test_a_refused_row_among_survivors_is_a_dead_letter_before_anything_is_settled(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        write = Writer(app, "DEBUG", "ERROR")
        stage.sink.mood, stage.sink.poison = "refuses", "ERROR 33 "
        await stage.run(20, write)
        stage.sink.mood = "takes"
        await stage.run(90)
        assert stage.counters.dead_rows == 1
        assert arrived(stage, "ERROR") == write.written - 1
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)


def test_a_summary_that_is_refused_is_a_dead_letter_and_settles_what_it_stands_for(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        stage.sink.mood, stage.sink.poison = "refuses", "logship dropped"
        await stage.run(20, Writer(app, "DEBUG"))
        stage.sink.mood = "takes"
        await stage.run(90)
        assert stage.counters.dead_rows == 1
        assert app.settled_all()

    on_stage(lambda: Stage(tmp_path), work)


def test_it_says_when_it_begins_goes_on_and_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(stage: Stage) -> None:
        stage.sink.mood = "refuses"
        await stage.run(60, Writer(stage.container("web-0"), "DEBUG", "INFO", "ERROR"))
        stage.sink.mood = "takes"
        await stage.run(120)

    with caplog.at_level(logging.INFO, "test.shed"):
        on_stage(lambda: Stage(tmp_path), work)
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("route r ")]
    why = "sink out asked for less (quota or overload)"
    assert lines == [
        f"route r sheds DEBUG: {why}", f"route r sheds DEBUG, INFO: {why}",
        f"route r sheds DEBUG: {why}", "route r sheds no more",
    ]  # fmt: skip


def test_what_goes_is_the_choice_of_the_stage_it_is_in(tmp_path: Path) -> None:
    """Back from INFO to DEBUG, rows of INFO are kept again."""

    async def work(stage: Stage) -> None:
        write = Writer(stage.container("web-0"), "INFO")
        stage.sink.mood = "refuses"
        await stage.run(60, write)
        stage.sink.mood = "takes"
        for _ in range(120):
            if stage.shedding.stage == 1:
                break
            await stage.run(1, write)
        assert stage.shedding.as_dict()["severities"] == ["DEBUG"]
        before = stage.dropped("info")
        await stage.run(10, write)
        assert stage.dropped("info") == before > 0

    options = msgspec.structs.replace(QUOTA, rules=(DEBUG, INFO), calm_secs=30.0)
    on_stage(lambda: Stage(tmp_path, options), work)
