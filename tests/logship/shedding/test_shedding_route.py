"""A route that sheds: when, what it drops, what it leaves alone, and what it says."""

import logging
from pathlib import Path

import msgspec
import pytest

from logship.origin import Rotation
from logship.routes.match import Match
from logship.routes.shed_options import ShedConfig, ShedRule
from tests.logship.shedding.shed_stage import (
    DEBUG,
    INFO,
    QUOTA,
    Stage,
    Writer,
    arrived,
    on_stage,
    said,
)


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
        assert counters.made_rows == len(stage.sink.summaries) > 0
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
        seen = set()

        def second() -> None:
            write()
            seen.add((stage.shedding.stage, stage.shedding.as_dict()["why"]))

        await stage.run(200, second)
        assert seen == {(0, ""), (1, "rotation")}
        assert stage.dropped("debug") > write.written / 2
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


@pytest.mark.parametrize("seed", range(4))
def test_a_spell_is_one_also_while_its_only_row_is_being_tried(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    """Nothing waits to be sent then, and yet nothing goes."""

    async def work(stage: Stage) -> None:
        app = stage.container("web-0")
        app.write(said("ERROR", "ERROR once"))
        stage.sink.mood = "refuses"
        await stage.run(120, Writer(app, "DEBUG"))
        assert stage.shedding.stage == 1

    options = msgspec.structs.replace(QUOTA, rules=(DEBUG,), calm_secs=1.0)
    with caplog.at_level(logging.INFO, "test.shed"):
        on_stage(lambda: Stage(tmp_path, options), work, seed)
    told = [r.getMessage() for r in caplog.records if r.getMessage().startswith("route r ")]
    assert [line.partition(":")[0] for line in told] == ["route r sheds DEBUG"]


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
