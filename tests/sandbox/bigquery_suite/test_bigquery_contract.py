"""What logship relies on, over the sandbox and over a BigQuery that nobody here wrote."""

import datetime

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery as gbq

from tests.sandbox.bigquery_harness import (
    BASE_TIME,
    PROJECT,
    Warehouse,
    log_batch,
)

MINUTE = BASE_TIME.replace(second=0, microsecond=0)
DEDUP_VIEW = """SELECT * FROM `{table}` QUALIFY ROW_NUMBER() OVER (
    PARTITION BY DATE(timestamp), insert_id ORDER BY ingest_time) = 1"""


def test_a_dataset_is_there_until_it_is_deleted(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    assert bq.rest.get_dataset(bq.dataset).dataset_id == bq.dataset
    assert bq.dataset in [d.dataset_id for d in bq.rest.list_datasets()]
    bq.rest.delete_dataset(bq.dataset)
    with pytest.raises(NotFound):
        bq.rest.get_dataset(bq.dataset)


def test_a_dataset_or_table_that_exists_is_a_conflict(any_bigquery: Warehouse) -> None:
    any_bigquery.create_log_table()
    with pytest.raises(Conflict):
        any_bigquery.rest.create_dataset(any_bigquery.dataset)
    with pytest.raises(Conflict):
        any_bigquery.create_log_table()


def test_a_table_keeps_its_columns_partitions_and_clusters(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    day_ms = 24 * 3600 * 1000
    parted = gbq.TimePartitioning(field="timestamp", expiration_ms=30 * day_ms)
    made = bq.create_log_table(time_partitioning=parted)
    kept = bq.rest.get_table(bq.path("logs"))
    assert [(f.name, f.field_type) for f in kept.schema] == [
        (f.name, f.field_type) for f in made.schema
    ]
    assert kept.schema[0].mode == "REQUIRED"
    assert kept.time_partitioning.field == "timestamp"
    assert kept.time_partitioning.type_ == "DAY"
    assert kept.time_partitioning.expiration_ms == 30 * day_ms
    assert kept.clustering_fields == ["namespace", "container", "severity"]


def test_a_missing_table_is_not_found(any_bigquery: Warehouse) -> None:
    with pytest.raises(NotFound):
        any_bigquery.rest.get_table(any_bigquery.path("nothing"))
    with pytest.raises(NotFound):
        any_bigquery.rows("SELECT 1 FROM DS.nothing")
    any_bigquery.rest.delete_table(any_bigquery.path("nothing"), not_found_ok=True)


def test_appended_rows_are_queried_at_once(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    response = bq.append_batch("logs", log_batch(100))
    assert not response.error.code
    assert bq.count("logs") == 100


def test_values_come_back_as_they_were_sent(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(1, message=['quote " tab \t ünï \U0001f600'], nanos=[2**62]))
    columns = "timestamp, message, payload, nanos, labels, trace"
    (row,) = bq.rows(f"SELECT {columns} FROM DS.logs")
    payload = {"ms": 0, "user": {"id": "u0"}}
    assert row == (BASE_TIME, 'quote " tab \t ünï \U0001f600', payload, 2**62, None, None)


def test_rows_are_counted_by_minute_and_severity(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(120))
    rows = bq.rows("""
        SELECT TIMESTAMP_TRUNC(timestamp, MINUTE) AS minute, COUNT(*) AS events,
               COUNTIF(severity = 'ERROR') AS errors,
               SAFE_DIVIDE(COUNTIF(severity = 'ERROR'), COUNT(*)) AS rate
        FROM DS.logs WHERE DATE(timestamp) = '2026-05-01' GROUP BY minute ORDER BY minute""")
    assert rows == [
        (MINUTE, 60, 12, 0.2),
        (MINUTE + datetime.timedelta(minutes=1), 60, 12, 0.2),
    ]


def test_json_fields_are_read_by_path_and_by_name(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(6))
    rows = bq.rows("""
        SELECT JSON_VALUE(payload, '$.user.id') AS by_path, JSON_VALUE(payload.user.id) AS by_name,
               SUM(CAST(JSON_VALUE(payload.ms) AS INT64)) AS ms
        FROM DS.logs GROUP BY by_path, by_name ORDER BY by_path""")
    assert rows == [("u0", "u0", 3), ("u1", "u1", 5), ("u2", "u2", 7)]


def test_percentiles_are_near_the_exact_ones(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(1000))
    ((p95,),) = bq.rows("""
        SELECT APPROX_QUANTILES(CAST(JSON_VALUE(payload.ms) AS FLOAT64), 100)[OFFSET(95)]
        FROM DS.logs""")
    assert p95 == pytest.approx(950, abs=15)


def test_the_dedup_view_shows_one_row_an_id(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(50))
    bq.append_batch("logs", log_batch(80))
    view = gbq.Table(bq.path("logs_dedup"))
    view.view_query = DEDUP_VIEW.format(table=bq.path("logs"))
    bq.rest.create_table(view)
    sql = "SELECT COUNT(*), COUNT(DISTINCT insert_id) FROM DS.{}"
    assert bq.rows(sql.format("logs")) == [(130, 80)]
    assert bq.rows(sql.format("logs_dedup")) == [(80, 80)]


def test_query_parameters_have_their_types(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(10))
    rows = bq.rows(
        "SELECT COUNT(*), @word FROM DS.logs WHERE timestamp >= @since AND nanos < @below",
        gbq.ScalarQueryParameter("since", "TIMESTAMP", BASE_TIME + datetime.timedelta(seconds=4)),
        gbq.ScalarQueryParameter("below", "INT64", 8),
        gbq.ScalarQueryParameter("word", "STRING", "it's"),
    )
    assert rows == [(4, "it's")]


def test_a_long_result_comes_in_pages(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(250))
    sql = f"SELECT nanos FROM `{bq.path('logs')}` ORDER BY nanos"
    result = bq.rest.query(sql, job_retry=None).result(page_size=100)
    pages = [[row[0] for row in page] for page in result.pages]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert [n for page in pages for n in page] == list(range(250))


def test_a_default_dataset_completes_table_names(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    default = gbq.DatasetReference(PROJECT, bq.dataset)
    config = gbq.QueryJobConfig(default_dataset=default)
    assert [tuple(r) for r in bq.rest.query("SELECT COUNT(*) FROM logs", config).result()] == [(0,)]


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nope FROM DS.logs", "SELECT no_such_fn(1)"])
def test_a_wrong_query_is_a_bad_request(any_bigquery: Warehouse, sql: str) -> None:
    any_bigquery.create_log_table()
    with pytest.raises(BadRequest):
        any_bigquery.rows(sql)


def test_a_partition_filter_can_be_required(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table(require_partition_filter=True)
    bq.append_batch("logs", log_batch(2))
    assert bq.rows("SELECT COUNT(*) FROM DS.logs WHERE timestamp > '2026-01-01'") == [(2,)]
    with pytest.raises(BadRequest, match="without a filter over column"):
        bq.count("logs")


def test_rows_are_listed_without_a_query(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    bq.append_batch("logs", log_batch(30))
    listed = list(bq.rest.list_rows(bq.path("logs"), page_size=20))
    assert [row["insert_id"] for row in listed] == [f"id-{i:06}" for i in range(30)]


def test_a_dry_run_gives_the_columns_and_runs_nothing(any_bigquery: Warehouse) -> None:
    bq = any_bigquery
    bq.create_log_table()
    sql = f"SELECT insert_id, COUNT(*) AS n FROM `{bq.path('logs')}` GROUP BY insert_id"
    job = bq.rest.query(sql, gbq.QueryJobConfig(dry_run=True))
    assert job.state == "DONE"
    assert [(f.name, f.field_type) for f in job.schema or []] == [
        ("insert_id", "STRING"),
        ("n", "INTEGER"),
    ]
