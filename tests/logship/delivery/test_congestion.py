"""A route and its sink on virtual time: how it finds the pace that the destination takes."""

import random
from pathlib import Path

import pytest

from logship.api import Retry
from logship.delivery.circuit import OPEN_AFTER
from logship.delivery.window import MAX, START
from logship.routes.route import BLOCK_BYTES
from tests.logship.delivery.destination import Quota, Stage, away, on_stage


def test_a_long_way_is_filled_with_writes(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.sink.secs = 0.3
        await stage.run(20)
        assert stage.window == MAX
        assert stage.sink.most_in_flight == MAX

    on_stage(tmp_path, work)


def test_a_destination_that_serves_few_at_once_is_kept_busy_without_a_long_queue(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        stage.sink.parallel, stage.sink.secs, stage.sink.way_secs = 4, 0.1, 0.05
        await stage.run(30)
        before, at = stage.sink.bytes, stage.world.clock.now()
        await stage.run(30)
        writes = (stage.sink.bytes - before) / stage.sink.request_bytes
        assert writes / (stage.world.clock.now() - at) > 0.95 * 4 / 0.1
        assert stage.window <= 4 + 2 + 4

    on_stage(tmp_path, work)


@pytest.mark.parametrize("writes_per_sec", [0.1, 0.5, 4.0])
def test_a_quota_is_used_up_with_few_refusals(tmp_path: Path, writes_per_sec: float) -> None:
    async def work(stage: Stage) -> None:
        stage.sink.rule = quota = Quota(stage.world, writes_per_sec)
        await stage.run(300)
        quota.refused = 0
        before = stage.counters.writes_by_result["delivered"]
        await stage.run(1000)
        taken = stage.counters.writes_by_result["delivered"] - before
        assert taken > 0.6 * 1000 * writes_per_sec
        assert quota.refused < 1.5 * taken
        assert stage.counters.throttled == stage.counters.writes_by_result["throttled"] > 0

    on_stage(tmp_path, work)


def test_a_destination_that_refuses_at_random_is_not_taken_for_one_with_a_quota(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        async def storm() -> None:
            if random.random() < 0.3:
                raise Retry("HTTP 429", throttled=True)

        stage.sink.rule = storm
        await stage.run(300)
        before = stage.sink.bytes
        await stage.run(300)
        assert stage.sink.bytes - before > 300 * 5e6
        assert stage.feed.released < 0.01 * len(stage.feed.settled)

    on_stage(tmp_path, work)


def test_after_a_spell_of_refusals_the_old_pace_comes_back_within_seconds(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        async def spell() -> None:
            raise Retry("HTTP 429", throttled=True)

        await stage.run(5)
        stage.sink.rule = spell
        await stage.run(30)
        stage.sink.rule = None
        stage.sink.bytes = 0
        while not stage.sink.bytes:
            await stage.run(0.1)
        await stage.run(3)
        assert stage.window > START

    on_stage(tmp_path, work)


def test_a_time_that_the_destination_named_holds_for_every_write(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await stage.run(1)
        refused: list[float] = []

        async def once() -> None:
            if not refused:
                refused.append(stage.world.clock.now())
                raise Retry("HTTP 429", after=3.0, throttled=True)

        stage.sink.rule = once
        await stage.run(10)
        assert not [at for at in stage.sink.began if refused[0] < at < refused[0] + 3.0]
        assert [at for at in stage.sink.began if refused[0] + 3.0 <= at < refused[0] + 3.5]

    on_stage(tmp_path, work)


def test_while_a_sink_is_away_one_write_probes_and_hardly_anything_is_held(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await stage.run(5)
        stage.sink.rule = away()
        await stage.run(30)
        stage.sink.most_in_flight = stage.sink.in_flight
        tries = len(stage.sink.began)
        for _ in range(600):
            await stage.run(1)
            assert stage.feed.out <= 1, "no more than the probe"
            assert stage.budget.held <= 6 * BLOCK_BYTES
        assert stage.sink.most_in_flight <= 1
        assert 600 / 30 < len(stage.sink.began) - tries < 600 / 5

    on_stage(tmp_path, work)


def test_a_circuit_that_closes_opens_the_window_by_one_for_each_round_trip(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await stage.run(5)
        stage.sink.rule = away()
        await stage.run(60)
        stage.sink.rule = None
        stage.sink.began.clear()
        while not stage.sink.began:
            await stage.run(0.01)
        began = stage.world.clock.now()
        assert stage.window == 1
        for trips in range(1, START + 1):
            stage.sink.most_in_flight = 0
            while stage.world.clock.now() < began + trips * stage.sink.secs:
                await stage.run(0.001)
            assert stage.sink.most_in_flight <= trips
        await stage.run(2)
        assert stage.window > START

    on_stage(tmp_path, work)


def test_a_few_failures_among_many_successes_do_not_open_the_circuit(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        calls = [0]

        async def some() -> None:
            calls[0] += 1
            if calls[0] % 10 < OPEN_AFTER - 1:
                raise Retry("HTTP 503", throttled=True)

        stage.sink.rule = some
        await stage.run(60)
        assert stage.feed.released == 0
        assert stage.sink.bytes > 60 * stage.sink.request_bytes

    on_stage(tmp_path, work)
