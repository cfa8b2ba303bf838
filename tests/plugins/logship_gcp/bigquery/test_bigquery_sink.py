"""The sink `bigquery` against the sandbox, looked into by Google's own client."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from logship_gcp.bigquery.sink import BigQuerySink, BigQuerySinkConfig

from logship.api import DELIVERED, Batch, ConfigError, Cutting, Mark, Retry, Rows
from logship.testing import START_NS, batch_of, context, cri_line, origin_of, texts_batch

Run = Callable[..., Any]
EVENT = json.dumps(
    {
        "time": "2026-11-23T04:46:30.5+00:00", "level": "warning", "message": "slow",
        "trace_id": "ab" * 16, "span_id": "cd" * 8, "path": "/cart", "ms": 1.5,
    }
)  # fmt: skip


def sending(*batches: Batch) -> Callable[[BigQuerySink], Any]:
    return lambda sink: sink.write(batches)


def test_a_row_fills_the_columns_of_the_table(with_sink: Run, warehouse: Any) -> None:
    origin = origin_of(more={"label:app": "cart"})
    batch = batch_of([cri_line(EVENT, time_ns=START_NS + 123_456_789)], origin)
    assert with_sink(sending(batch)) == DELIVERED
    [row] = warehouse.rows()
    ingested = row.pop("ingest_time")
    assert (datetime.now(UTC) - ingested).total_seconds() < 60
    assert row.pop("payload") == json.loads(EVENT)
    assert row.pop("labels") == {"app": "cart"}
    assert row == {
        "timestamp": datetime(2026, 11, 23, 4, 46, 31, 123_456, UTC), "nanos": 789,
        "event_time": datetime(2026, 11, 23, 4, 46, 30, 500_000, UTC),
        "severity": "WARNING", "message": "slow", "cluster": "test", "namespace": "shop",
        "pod": "web-0", "container": "app", "node": "node-1", "stream": "stdout",
        "trace": "ab" * 16, "span_id": "cd" * 8, "insert_id": batch.ids()[0],
    }  # fmt: skip


def test_a_text_has_no_payload(with_sink: Run, warehouse: Any) -> None:
    with_sink(sending(batch_of([cri_line("E1123 04:46:31.000000 1 a.go:1] no", stream="stderr")])))
    [row] = warehouse.rows()
    assert row["payload"] is None
    assert row["event_time"] is None
    assert row["severity"] == "ERROR"
    assert row["message"].startswith("E1123")


def test_the_table_is_partitioned_and_clustered(with_sink: Run, warehouse: Any) -> None:
    with_sink(
        sending(texts_batch(["a"])), partition_expiration_days=30, require_partition_filter=True
    )
    table = warehouse.client.get_table("logs.app")
    assert table.time_partitioning.field == "timestamp"
    assert table.time_partitioning.type_ == "DAY"
    assert table.time_partitioning.expiration_ms == 30 * 86_400_000
    assert table.require_partition_filter
    assert table.clustering_fields == ["namespace", "container", "severity"]
    assert {field.name for field in table.schema if field.mode == "REQUIRED"} == {"timestamp"}


def test_the_view_shows_a_row_that_came_twice_once_and_prunes(
    with_sink: Run, warehouse: Any
) -> None:
    batch = texts_batch(["a", "b"])

    async def use(sink: BigQuerySink) -> None:
        await sink.write([batch])
        await sink.write([batch])

    with_sink(use, require_partition_filter=True)
    day = "WHERE DATE(timestamp) = '2026-11-23'"
    assert warehouse.query(f"SELECT COUNT(*) AS n FROM logs.app {day}") == [{"n": 4}]
    found = warehouse.query(f"SELECT message FROM logs.app_dedup {day} ORDER BY message")
    assert found == [{"message": "a"}, {"message": "b"}]


def test_a_row_that_bigquery_refuses_is_named_and_its_neighbours_land(
    with_sink: Run, warehouse: Any
) -> None:
    """A time before the year 1 is none to BigQuery; a transform can make one of any text."""
    batch = texts_batch(["a", "b", "c", "d"])
    rows = batch.rows
    late = "9999-12-31T23:59:59-23:00"
    changed = batch.with_rows(
        Rows(rows.generation, rows.offsets, [rows.times[0], late, *rows.times[2:]], rows.streams,
             rows.texts)
    )  # fmt: skip
    found = with_sink(sending(texts_batch(["x"], origin_of("other")), changed))
    [refused] = found.refused
    assert (refused.batch, refused.row) == (1, 1)
    assert found.again == ()
    assert sorted(row["message"] for row in warehouse.rows()) == ["a", "c", "d", "x"]


def test_a_row_that_arrow_refuses_is_named_and_its_neighbours_land(
    with_sink: Run, warehouse: Any
) -> None:
    batch = texts_batch([f"row {n}" for n in range(9)])
    rows = batch.rows
    texts = [*rows.texts[:4], "a\ud800b", *rows.texts[5:]]
    found = with_sink(
        sending(batch.with_rows(
            Rows(rows.generation, rows.offsets, rows.times, rows.streams, texts)
        ))
    )  # fmt: skip
    [refused] = found.refused
    assert (refused.batch, refused.row) == (0, 4)
    assert "not a row of the table" in refused.reason
    assert len(warehouse.rows()) == 8


def test_text_that_looks_like_json_is_text(with_sink: Run, warehouse: Any) -> None:
    texts = ['{"a":', '{"a":NaN}', "{}x", '{"a":1}']
    assert with_sink(sending(texts_batch(texts))) == DELIVERED
    found = {row["message"]: row["payload"] for row in warehouse.rows()}
    assert found == {'{"a":': None, '{"a":NaN}': None, "{}x": None, None: {"a": 1}}


def test_marks_become_labels(with_sink: Run, warehouse: Any) -> None:
    batch = batch_of([b"not of the runtime\n", cri_line("fine")])
    assert batch.rows.mark(0) == Mark(malformed=True)
    with_sink(sending(batch))
    labels = {row["message"]: row["labels"] for row in warehouse.rows()}
    assert labels == {"not of the runtime": {"logship/malformed": "true"}, "fine": None}


def test_large_writes_are_cut_into_requests(with_sink: Run, warehouse: Any) -> None:
    batches = [texts_batch([f"{n:06d}" + "x" * 100_000 for n in range(250)])]
    assert with_sink(sending(*batches)) == DELIVERED
    assert warehouse.query("SELECT COUNT(*) AS n FROM logs.app") == [{"n": 250}]


def test_a_row_larger_than_a_request_is_refused(with_sink: Run, warehouse: Any) -> None:
    lines = [cri_line("small"), cri_line("x" * 9_500_000)]
    found = with_sink(sending(batch_of(lines, cutting=Cutting(max_row_bytes=20_000_000))))
    [refused] = found.refused
    assert (refused.batch, refused.row) == (0, 1)
    assert "bytes; BigQuery takes" in refused.reason
    assert [row["message"] for row in warehouse.rows()] == ["small"]


def test_rows_go_to_a_table_per_event_type_that_is_allowed(with_sink: Run, warehouse: Any) -> None:
    texts = ['{"event":"buy"}', '{"event":"drop table"}', "text", '{"event":"view"}', "{}"]
    with_sink(
        sending(texts_batch(texts)),
        table="events_{json.event}",
        allow=("events_buy", "events_view"),
        otherwise="rest",
    )
    assert [row["payload"] for row in warehouse.rows("logs.events_buy")] == [{"event": "buy"}]
    assert [row["payload"] for row in warehouse.rows("logs.events_view")] == [{"event": "view"}]
    assert len(warehouse.rows("logs.rest")) == 3


def test_a_dataset_per_team(with_sink: Run, warehouse: Any) -> None:
    blue = texts_batch(["b"], origin_of(more={"label:team": "blue"}))
    other = texts_batch(["o"], origin_of("x"))
    with_sink(
        sending(blue, other),
        dataset="team_{label:team}",
        allow=("team_blue.app",),
        otherwise="rest.app",
    )
    assert [row["message"] for row in warehouse.rows("team_blue.app")] == ["b"]
    assert [row["message"] for row in warehouse.rows("rest.app")] == ["o"]


def test_a_missing_table_that_may_not_be_made_is_a_retry_with_advice(with_sink: Run) -> None:
    with pytest.raises(Retry, match=r"append to shop.logs.app: NOT_FOUND.*set create: true"):
        with_sink(sending(texts_batch(["a"])), create=False)


def test_a_table_that_was_deleted_is_made_again(with_sink: Run, warehouse: Any) -> None:
    async def use(sink: BigQuerySink) -> None:
        await sink.write([texts_batch(["a"])])
        warehouse.client.delete_table("logs.app")
        with pytest.raises(Retry, match="it is made again"):
            await sink.write([texts_batch(["b"])])
        assert await sink.write([texts_batch(["b"])]) == DELIVERED

    with_sink(use)
    assert [row["message"] for row in warehouse.rows()] == ["b"]


def test_a_server_that_is_not_there_is_a_retry() -> None:
    import asyncio

    async def main() -> None:
        tested = context("out")
        config = BigQuerySinkConfig(
            dataset="logs", table="app", project="shop", create=False,
            grpc_endpoint="127.0.0.1:1", request_timeout_secs=2,
        )  # fmt: skip
        sink = BigQuerySink(config, tested)
        await sink.start()
        try:
            with pytest.raises(Retry, match=r"append to shop\.logs\.app"):
                await sink.write([texts_batch(["a"])])
        finally:
            await sink.close()
            tested.world.offload.close()

    asyncio.run(main())


def test_nothing_to_write_is_delivered_and_makes_nothing(with_sink: Run, warehouse: Any) -> None:
    assert with_sink(sending(batch_of([]), texts_batch(["a"]).keep([0]))) == DELIVERED
    assert list(warehouse.client.list_datasets()) == []


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"dataset": "a-b"}, r"sinks\.out\.dataset"),
        ({"table": "a b"}, r"sinks\.out\.table"),
        ({"table": "e_{}", "allow": ("e_*",), "otherwise": "x"}, r"sinks\.out\.table"),
        ({"table": "e_{pod}"}, r"sinks\.out\.allow"),
        ({"table": "e_{pod}", "allow": ("e_*",)}, r"sinks\.out\.otherwise"),
        ({"dataset": "d_{pod}", "allow": ("d_*.t",), "otherwise": "x"}, r"sinks\.out\.otherwise"),
    ],
)
def test_options_that_cannot_be_are_said_before_anything_starts(
    options: dict[str, Any], where: str
) -> None:
    config = BigQuerySinkConfig(**{"dataset": "d", "table": "t", "project": "shop", **options})
    with pytest.raises(ConfigError, match=where):
        BigQuerySink(config, context("out"))
