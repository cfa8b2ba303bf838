"""How far behind a route is: exact bytes, the age of the oldest row."""

import asyncio
import gzip
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from logship.batch import Batch
from logship.origin import Labels, Origin
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.lag import WORST, Lag, RouteLag, by_namespace
from logship.routes.meter import Meter
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world
from tests.logship.lag_stage import SEC, Awake, Stage, at, on_stage

steps = st.lists(
    st.sampled_from(["write", "half", "rotate", "gzip", "take", "take", "settle", "release"]),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_every_byte_is_settled_or_in_flight_or_unread(steps: list[str]) -> None:
    async def work(stage: Stage) -> None:
        written = settled = 0
        out: list[Batch] = []
        half = b""
        for number, step in enumerate(["write", *steps]):
            if step in ("write", "half"):
                content = half + at(number) * 3
                half = b""
                if step == "half":
                    content, half = content[:-20], content[-20:]
                stage.write(content)
                written += len(content)
            elif step == "rotate" and stage.live.exists() and stage.live.stat().st_size:
                stage.rotate(number)
                half = b""
            elif step == "gzip":
                for file in stage.directory.glob("0.log.*[0-9]"):
                    Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes()))
                    file.unlink()
                stage.look()
            elif step == "take" and (batch := await stage.take(200)) is not None:
                out.append(batch)
            elif step == "settle" and out:
                batch = out.pop(0)
                stage.binding.settle(batch)
                settled += batch.size()
            elif step == "release" and out:
                stage.binding.release(out.pop())
            await asyncio.sleep(0.6)
            lag = await stage.lag()
            assert lag.in_flight_bytes == sum(batch.size() for batch in out)
            assert lag.unread_bytes == written - settled - lag.in_flight_bytes

    with TemporaryDirectory() as directory:
        on_stage(Path(directory), work)


def test_the_oldest_unread_row_says_how_old_it_is(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(-30) + at(-20) + at(-10))
        assert (await stage.lag()).oldest_ns == EPOCH_NS - 30 * SEC
        first = await stage.take(len(at(-30)))
        assert first is not None
        lag = await stage.lag()
        assert lag.oldest_ns == EPOCH_NS - 20 * SEC
        shown = lag.as_dict(EPOCH_NS)
        assert shown["oldest_unread_age_secs"] == 20
        stage.binding.release(first)
        assert (await stage.lag()).oldest_ns == EPOCH_NS - 30 * SEC
        while await stage.take() is not None:
            continue
        assert (await stage.lag()).oldest_ns is None

    on_stage(tmp_path, work)


def test_an_open_record_is_unread_and_has_its_time(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        part = at(-7, tag="P")
        stage.write(part)
        assert await stage.take() is None
        lag = await stage.lag()
        assert (lag.unread_bytes, lag.oldest_ns) == (len(part), EPOCH_NS - 7 * SEC)

    on_stage(tmp_path, work)


def test_a_line_that_is_not_of_the_format_gives_way_to_the_next_time(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(-9))
        await stage.take()
        stage.write(b"garbage\n" + at(-5))
        assert (await stage.lag()).oldest_ns == EPOCH_NS - 5 * SEC

    on_stage(tmp_path, work)


def test_a_compressed_file_gives_the_time_of_its_first_row(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        content = at(-30) + at(-20)
        (tmp_path / "0.log.1.gz").write_bytes(gzip.compress(content))
        stage.look()
        await stage.take(len(at(-30)))
        lag = await stage.lag()
        assert (lag.unread_bytes, lag.oldest_ns) == (len(at(-20)), EPOCH_NS - 30 * SEC)

    on_stage(tmp_path, work)


def test_a_plain_file_without_times_gives_the_time_of_its_last_write(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.live.write_bytes(b"no time\n")
        os.utime(stage.live, ns=(0, EPOCH_NS - 4 * SEC))
        stage.look()
        assert (await stage.lag()).oldest_ns == EPOCH_NS - 4 * SEC

    on_stage(tmp_path, work, "plain")


def test_a_sum_has_the_oldest_row_and_the_nearest_risk() -> None:
    lags = [
        ("a", Lag(1, 10, 1, 500, None)),
        ("a", Lag(1, 20, 2, 400, 9.0)),
        ("b", Lag(0, 0, 4, None, None)),
        ("c", Lag(1, 5, 0, None, 3.0)),
    ]
    found = by_namespace(lags)
    assert found.namespaces["a"] == Lag(2, 30, 3, 400, 9.0)
    assert found.all == Lag(3, 35, 7, 400, 3.0)


def test_only_the_worst_namespaces_are_named_and_the_rest_is_added_up() -> None:
    lags = {f"n{number:02}": Lag(1, 100 + number, 0, number, 50.0) for number in range(WORST + 3)}
    shown = RouteLag(lags | {"quiet": Lag()}).as_dict(0)
    named, others = shown["namespaces"], shown["other_namespaces"]
    assert isinstance(named, dict)
    assert isinstance(others, dict)
    assert list(named) == [f"n{number:02}" for number in range(WORST + 2, 2, -1)]
    assert (others["count"], others["unread_bytes"]) == (3, 100 + 101 + 102)
    assert shown["unread_bytes"] == sum(lag.unread_bytes for lag in lags.values())


class BrokerFeed:
    """A feed that knows how much is waiting, and nothing of files."""

    origin = Origin("subscription", Labels({"source": "loader"}))

    def waiting(self) -> int | None:
        return 7

    async def take(self, max_bytes: int) -> Batch | None:
        return None

    def settle(self, batch: Batch) -> None: ...
    def release(self, batch: Batch) -> None: ...


def test_a_broker_that_says_how_much_waits_is_believed() -> None:
    async def go() -> None:
        binding = Binding(BrokerFeed(), Selection(), Awake())
        found = await Meter().lag({binding}, virtual_world())
        assert found.namespaces == {"(loader)": Lag(1, 7)}

    run_virtual(go())


def test_a_last_line_that_nobody_has_ended_is_unread_but_has_no_age(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        stage.write(at(0) + b"2026-11-23T04:00:00Z password:")
        batch = await stage.take()
        assert batch is not None
        stage.binding.settle(batch)
        assert await stage.take() is None
        await asyncio.sleep(3600)
        lag = await stage.lag()
        assert (lag.origins, lag.unread_bytes, lag.oldest_ns) == (1, 30, None)
        stage.write(b" secret\n" + at(3600))
        lag = await stage.lag()
        assert lag.oldest_ns is not None
        assert lag.oldest_ns >= EPOCH_NS + 3600 * SEC

    on_stage(tmp_path, work, "plain")
