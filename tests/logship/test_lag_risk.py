"""When rotation will delete what a route has not read: from rates of the last half minute."""

import asyncio
import gzip
from pathlib import Path

from logship.routes.meter import SAMPLE_SECS
from tests.logship.lag_stage import MIB, Stage, at, on_stage


def test_a_route_that_stands_has_a_risk_from_its_own_rates(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0, "y" * (MIB - 100)))
        stage.tick(stage.binding)
        assert (await stage.lag()).risk_secs is None  # nothing is known of rates yet
        size = stage.live.stat().st_size
        for _ in range(10):
            await asyncio.sleep(1)
            stage.write(at(0, "y" * (MIB - 100)))
            stage.tick(stage.binding)
        rate, size = (stage.live.stat().st_size - size) / 10, stage.live.stat().st_size
        risk = (await stage.lag()).risk_secs
        left = max(0, 10 * MIB - size)
        assert risk is not None
        assert abs(risk - (left + 4 * 10 * MIB) / rate) < 0.1

    on_stage(tmp_path, work)


def test_a_route_that_keeps_up_has_no_risk(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        for _ in range(20):
            stage.write(at(0, "y" * 100_000))
            stage.tick(stage.binding)
            assert (await stage.lag()).risk_secs is None
            while (batch := await stage.take()) is not None:
                stage.binding.settle(batch)
            await asyncio.sleep(1)

    on_stage(tmp_path, work)


def test_what_is_released_counts_neither_as_read_nor_as_written(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        row = at(0, "y" * 100_000)
        stage.write(row * 30)
        stage.tick(stage.binding)
        for _ in range(40):
            batch = await stage.take()
            assert batch is not None
            stage.binding.release(batch)
            await asyncio.sleep(1)
            stage.write(row)
            stage.tick(stage.binding)
        risk = (await stage.lag()).risk_secs
        assert risk is not None
        standing = (5 * 10 * MIB - stage.live.stat().st_size) / len(row)
        assert abs(risk - standing) < standing / 50

    on_stage(tmp_path, work)


def test_rates_are_of_the_last_half_minute(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0, "y" * 1000) * 100)
        stage.tick(stage.binding)
        for _ in range(int(3 * SAMPLE_SECS)):
            await asyncio.sleep(1)
            stage.tick(stage.binding)
        stage.write(at(0, "y" * 1000) * 3000)
        risk = (await stage.lag()).risk_secs
        assert risk is not None
        # 3 MB in at least 15 and at most 30 seconds, 47 MB to go
        assert 15 * 45 / 3 < risk < 30 * 52 / 3

    on_stage(tmp_path, work)


def test_unread_bytes_behind_a_descriptor_only_are_at_risk_now(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0) * 3)
        stage.rotate(1)
        assert (await stage.lag()).risk_secs is None
        (tmp_path / "0.log.1").unlink()
        assert (await stage.lag()).risk_secs == 0
        while (batch := await stage.take()) is not None:
            stage.binding.settle(batch)
        assert (await stage.lag()).risk_secs is None

    on_stage(tmp_path, work)


def test_a_file_that_was_compressed_is_still_there(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0) * 3)
        stage.rotate(1)
        plain = tmp_path / "0.log.1"
        Path(f"{plain}.gz").write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
        assert (await stage.lag()).risk_secs is None
        Path(f"{plain}.gz").unlink()
        assert (await stage.lag()).risk_secs == 0

    on_stage(tmp_path, work)


def test_a_log_that_is_read_costs_nothing_more(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0) * 3)
        stage.tick(stage.binding)
        assert stage.meter.followed == 1
        stage.tick()
        assert stage.meter.followed == 1  # not in the line for a moment, but not read either
        await stage.take()
        stage.tick()
        assert stage.meter.followed == 0

    on_stage(tmp_path, work)
