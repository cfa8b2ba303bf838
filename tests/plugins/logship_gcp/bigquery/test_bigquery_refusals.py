"""What BigQuery refuses without naming a row: the guilty one is found, or nobody is blamed."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from logship_gcp.bigquery.sink import BigQuerySink

from logship.api import DELIVERED, Batch, Outcome, Refused, Retry
from logship.testing import texts_batch
from logship_sandbox.faults import Fault

Run = Callable[..., Any]
POISON = Fault(poison="arsenic")


def writing(*writes: list[Batch]) -> Callable[[BigQuerySink], Any]:
    """What became of each write."""

    async def use(sink: BigQuerySink) -> list[Outcome | Retry]:
        found: list[Outcome | Retry] = []
        for batches in writes:
            try:
                found.append(await sink.write(batches))
            except Retry as retry:
                found.append(retry)
        return found

    return use


@pytest.mark.parametrize("place", [0, 500, 999])
def test_the_one_row_that_is_refused_without_a_name_is_found(
    with_sink: Run, warehouse: Any, place: int
) -> None:
    texts = [f"row {number}" for number in range(1000)]
    texts[place] = "arsenic"
    warehouse.faults.set("bigquery", POISON)
    [found] = with_sink(writing([texts_batch(texts)]))
    assert found == Outcome(refused=(Refused(0, place, "Cannot parse the rows."),))
    messages = sorted(row["message"] for row in warehouse.rows())
    assert messages == sorted(set(texts) - {"arsenic"})


def test_a_table_that_refuses_everything_costs_no_row(
    with_sink: Run, warehouse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.faults.set("bigquery", POISON)
    rows = texts_batch(["arsenic"] * 300)
    found = with_sink(writing([rows], [rows]))
    assert all(isinstance(each, Retry) for each in found)
    assert "does the table have all columns" in found[0].reason
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "rows wait until a person acts" in errors[0]


def test_a_row_that_is_refused_alone_is_blamed_once_others_are_taken(
    with_sink: Run, warehouse: Any
) -> None:
    warehouse.faults.set("bigquery", POISON)
    bad, good = texts_batch(["arsenic"]), texts_batch(["good"])
    first, second, third, last = with_sink(writing([bad], [bad], [good], [bad]))
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert third == DELIVERED
    assert [(each.batch, each.row) for each in last.refused] == [(0, 0)]


def test_a_right_that_is_missing_is_an_error_in_the_log_once(
    with_sink: Run, warehouse: Any, caplog: pytest.LogCaptureFixture
) -> None:
    good = texts_batch(["good"])
    with_sink(writing([good]))
    warehouse.faults.set("bigquery", Fault(refuse=403))
    found = with_sink(writing(*([good] for _ in range(4))), create=False)
    assert all(isinstance(each, Retry) for each in found)
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "grant roles/bigquery.dataEditor" in errors[0]


def test_the_time_that_bigquery_asks_to_wait_is_kept(with_sink: Run, warehouse: Any) -> None:
    good = texts_batch(["good"])
    with_sink(writing([good]))
    warehouse.faults.set("bigquery", Fault(share_429=1, retry_after_secs=11))
    [found] = with_sink(writing([good]), create=False)
    assert isinstance(found, Retry)
    assert found.after == 11
