"""The options that every sink takes: rate, delay, and the end of a write that gets no answer."""

import asyncio
from pathlib import Path

import pytest

from logship.delivery.rate import BURST_SECS, Rate
from logship.delivery.terms import Terms
from logship.routes.route import BLOCK_BYTES
from logship.testing import texts_batch
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.delivery.destination import Stage, on_stage
from tests.logship.test_sender import Recorder


async def _never() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("per_sec", [100_000, 400_000, 5_000_000])
def test_a_sink_gets_no_more_bytes_a_second_than_it_may(tmp_path: Path, per_sec: int) -> None:
    async def go() -> None:
        world = virtual_world()
        stage = Stage(tmp_path, world, rate=Rate(per_sec, world.clock))
        stage.sink.parallel = 4
        await stage.run(60)
        one_write = stage.sink.request_bytes + BLOCK_BYTES
        most = per_sec * (60 + BURST_SECS) + one_write
        assert most - per_sec * 5 - 2 * one_write < stage.sink.bytes <= most
        assert stage.feed.out * BLOCK_BYTES <= 3 * one_write, "what must wait is not read"
        assert stage.counters.waited_for_rate_secs > 10

    run_virtual(go())


def test_routes_to_one_sink_share_its_rate_evenly(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        rate = Rate(1_000_000, world.clock)
        stages = [Stage(tmp_path, world, str(number), rate=rate) for number in range(3)]
        for stage in stages:
            stage.begin()
        await asyncio.sleep(300)
        given = [stage.sink.bytes for stage in stages]
        assert sum(given) <= 302e6 + 3 * 5 * BLOCK_BYTES
        assert min(given) > 0.9 * max(given)

    run_virtual(go())


def test_after_a_rest_no_more_than_a_burst_goes_at_once() -> None:
    async def go() -> None:
        world = virtual_world()
        rate = Rate(1000, world.clock)
        rate.spend(1000)
        await asyncio.sleep(1000)
        began = world.clock.now()
        for _ in range(4):
            async with rate.turn():
                rate.spend(1000)
        assert world.clock.now() - began == pytest.approx(4 - 1 - BURST_SECS)

    run_virtual(go())


@pytest.mark.parametrize("secs", [0.0, 0.5, 10.0])
def test_a_lonely_row_waits_as_long_for_company_as_configured(tmp_path: Path, secs: float) -> None:
    async def work(stage: Stage) -> None:
        sending = asyncio.ensure_future(stage.sender.run())
        await asyncio.sleep(1)
        lonely = texts_batch(["lonely"])
        stage.counters.read("shop", lonely)
        stage.sender.offer(Recorder(), lonely)
        await asyncio.sleep(20)
        assert stage.sink.began == [pytest.approx(1 + secs)]
        sending.cancel()

    on_stage(tmp_path, work, Terms(max_delay_secs=secs))


def test_under_load_no_row_waits_for_company(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await stage.run(10)
        assert len(stage.sink.began) > 50
        assert max(stage.feed.delays) < 1

    on_stage(tmp_path, work, Terms(max_delay_secs=10.0))


def test_a_write_without_an_answer_ends_and_its_rows_are_sent_again(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.sink.parallel = 4
        await stage.run(2)
        stage.sink.rule = _never
        await stage.run(500)
        assert stage.counters.writes_by_result["timed_out"] > 0
        assert stage.sink.in_flight <= 1, "one write probes"
        assert stage.feed.out <= 1
        stage.sink.rule = None
        settled, until = len(stage.feed.settled), stage.world.clock.now() + 60 + 30
        while len(stage.feed.settled) == settled:
            assert stage.world.clock.now() < until
            await stage.run(1)
        assert stage.feed.taken == stage.feed.out + len(stage.feed.settled) + stage.feed.released

    on_stage(tmp_path, work, Terms(write_timeout_secs=60))
