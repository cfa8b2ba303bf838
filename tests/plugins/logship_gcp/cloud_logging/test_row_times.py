"""Times that Cloud Logging would refuse are replaced by one that follows from the bytes."""

from dataclasses import replace

import pytest

from logship.api import Batch, Generation, time_text
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    TIME,
    cri,
    kept_entries,
    make_batch,
    make_encoder,
)

DAY_NS = 86_400 * 10**9
OF_GENERATION = time_text(FIRST_NS)
OF_FILE = time_text(FIRST_NS + 300 * 10**9 + 7)


def with_times(*times: str) -> Batch:
    batch = make_batch(cri(*("text" for _ in times)))
    return batch.with_rows(replace(batch.rows, times=times))


def sent(batch: Batch, now_ns: int = FIRST_NS) -> list[tuple[str, bool]]:
    (request,) = make_encoder().requests([batch], now_ns)
    return [
        (entry["timestamp"], "logship/clamped" in entry["labels"])
        for entry in kept_entries(request)
    ]


def test_a_runtime_a_day_ahead_is_believed() -> None:
    time = time_text(FIRST_NS + DAY_NS)
    assert sent(with_times(time)) == [(time, False)]


def test_a_runtime_further_ahead_is_not() -> None:
    late = time_text(FIRST_NS + DAY_NS + 1)
    assert sent(with_times(TIME, late)) == [(TIME, False), (OF_GENERATION, True)]


def test_the_zone_counts() -> None:
    same = "2026-11-24T23:59:59+14:00"  # 09:59:59Z
    late = "2026-11-23T23:00:00-12:00"  # the 24th, 11:00Z
    assert sent(with_times(same, late)) == [(same, False), (OF_GENERATION, True)]


@pytest.mark.parametrize("zone", ["+24:00", "-99:59", "+02:60"])
def test_a_zone_that_does_not_exist_is_replaced(zone: str) -> None:
    assert sent(with_times(f"2026-11-23T10:00:00{zone}")) == [(OF_GENERATION, True)]


def test_a_generation_that_is_late_itself_gives_the_time_of_the_file() -> None:
    batch = with_times("2030-01-01T00:00:00Z")
    ahead = Generation(FIRST_NS * 2, 7)
    assert sent(batch.with_rows(replace(batch.rows, generation=ahead))) == [(OF_FILE, True)]


def test_rows_of_a_broker_may_have_any_time() -> None:
    batch = with_times('yesterday"Z', "", TIME)
    batch = batch.with_rows(replace(batch.rows, given_ids=["a", "b", "c"]))
    assert sent(batch) == [(OF_GENERATION, True), (OF_FILE, False), (TIME, False)]


def test_a_row_that_nobody_knows_the_time_of_has_the_time_of_now() -> None:
    batch = with_times("")
    batch = batch.with_rows(replace(batch.rows, generation=Generation(0, 7)))
    batch.mtime_ns = 0
    assert sent(batch, FIRST_NS + 5) == [(time_text(FIRST_NS + 5), False)]
