"""BigQuery's SQL in the sandbox: what it answers, and what it refuses and how."""

import datetime

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery as gbq

from tests.sandbox.bigquery_harness import BASE_TIME, Warehouse, log_batch

JSON_ROW = (
    """WITH t AS (SELECT PARSE_JSON('{"a": {"b": [7, "x"]}, "n": 5, "f": 1.5, "ok": true}') AS j)"""
)
ANSWERS = [
    ("1.5 + 1", 2.5),
    ("7 / 2", 3.5),
    ("DIV(7, 2)", 3),
    ("SAFE_DIVIDE(1, 0)", None),
    ("SAFE_CAST('x' AS INT64)", None),
    ("IF(1 > 2, 'a', 'b')", "b"),
    ("[10, 20][OFFSET(1)]", 20),
    ("[10, 20][SAFE_OFFSET(9)]", None),
    ("SPLIT('a,b', ',')[OFFSET(0)]", "a"),
    ("REGEXP_EXTRACT('id=42;', r'id=(\\d+)')", "42"),
    ("REGEXP_CONTAINS('GET /x', r'^GET')", True),
    ("FORMAT('%d-%s', 7, 'x')", "7-x"),
    ("b'ab'", b"ab"),
    ("DATE '2026-05-01'", datetime.date(2026, 5, 1)),
    ("DATE_SUB(DATE '2026-05-01', INTERVAL 1 DAY)", datetime.date(2026, 4, 30)),
    ("DATE_TRUNC(DATE '2026-05-17', MONTH)", datetime.date(2026, 5, 1)),
    ("DATE(TIMESTAMP '2026-05-01 23:30:00+00', 'Europe/Berlin')", datetime.date(2026, 5, 2)),
    ("EXTRACT(DAYOFWEEK FROM DATE '2026-05-03')", 1),
    ("EXTRACT(DATE FROM TIMESTAMP '2026-05-01 10:00:00+00')", datetime.date(2026, 5, 1)),
    ("DATETIME '2026-05-01 10:00:00'", datetime.datetime(2026, 5, 1, 10)),
    ("TIMESTAMP_SECONDS(0)", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)),
    ("TIMESTAMP_MILLIS(1)", datetime.datetime(1970, 1, 1, 0, 0, 0, 1000, datetime.UTC)),
    ("UNIX_MICROS(TIMESTAMP '1970-01-01 00:00:01+00')", 1_000_000),
    (
        "PARSE_TIMESTAMP('%Y-%m-%d %H:%M', '2026-05-01 10:30')",
        datetime.datetime(2026, 5, 1, 10, 30, tzinfo=datetime.UTC),
    ),
    (
        "FORMAT_TIMESTAMP('%F %H:%M:%E3S', TIMESTAMP '2026-05-01 10:30:00.5+00')",
        "2026-05-01 10:30:00.500",
    ),
    ("TIMESTAMP_DIFF(TIMESTAMP '2026-05-02', TIMESTAMP '2026-05-01', HOUR)", 24),
    (
        "TIMESTAMP_BUCKET(TIMESTAMP '2026-05-01 10:07:00+00', INTERVAL 5 MINUTE)",
        datetime.datetime(2026, 5, 1, 10, 5, tzinfo=datetime.UTC),
    ),
    ("STRUCT(1 AS a, ['x'] AS b)", {"a": 1, "b": ["x"]}),
    ("NUMERIC '1.50'", 1.5),
]


@pytest.mark.parametrize(("expression", "value"), ANSWERS, ids=[a[0] for a in ANSWERS])
def test_an_expression_means_what_it_does_in_bigquery(
    bigquery: Warehouse, expression: str, value: object
) -> None:
    assert bigquery.rows(f"SELECT {expression}") == [(value,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("payload.ms", 3),
        ("payload.user", {"id": "u0"}),
        ("payload['user'].id", "u0"),
        ("logs.payload.user.id", "u0"),
        ("INT64(payload.ms) + 1", 4),
        ("FLOAT64(payload.ms)", 3.0),
        ("STRING(payload.user.id)", "u0"),
        ("LAX_INT64(payload.user.id)", None),
        ("JSON_VALUE(payload.user)", None),
        ("JSON_QUERY(payload, '$.user')", {"id": "u0"}),
        ("payload.nothing", None),
        ("labels.items[1].x", 2),
    ],
)
def test_json_columns_are_read(bigquery: Warehouse, expression: str, value: object) -> None:
    bigquery.create_log_table()
    bigquery.append_batch("logs", log_batch(4, labels=['{"items": [0, {"x": 2}]}'] * 4))
    assert bigquery.rows(f"SELECT {expression} FROM DS.logs WHERE nanos = 3") == [(value,)]


def test_result_columns_have_bigquerys_names(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    sql = "SELECT 1, payload.user.id, l.nanos, COUNT(*) OVER () FROM DS.logs AS l"
    sql = sql.replace("DS.", f"{bigquery.dataset}.")
    schema = bigquery.rest.query(sql).result().schema
    assert [f.name for f in schema] == ["f0_", "id", "nanos", "f1_"]


def test_joins_ctes_windows_and_arrays_work_together(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    bigquery.append_batch("logs", log_batch(10))
    rows = bigquery.rows("""
        WITH errors AS (SELECT nanos, timestamp FROM DS.logs WHERE severity = 'ERROR'),
             ranked AS (SELECT nanos, RANK() OVER (ORDER BY timestamp DESC) AS r FROM errors)
        SELECT l.message, r.r, item, position
        FROM DS.logs AS l JOIN ranked AS r USING (nanos), UNNEST(['a', 'b']) AS item
        WITH OFFSET AS position WHERE r.r = 1 ORDER BY position""")
    assert rows == [("line 5", 1, "a", 0), ("line 5", 1, "b", 1)]


def test_now_is_now(bigquery: Warehouse) -> None:
    before = datetime.datetime.now(datetime.UTC)
    ((now, today),) = bigquery.rows("SELECT CURRENT_TIMESTAMP(), CURRENT_DATE()")
    assert before <= now <= datetime.datetime.now(datetime.UTC)  # type: ignore[operator]
    assert isinstance(today, datetime.date)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("DELETE FROM DS.logs WHERE TRUE", "DELETE"),
        ("UPDATE DS.logs SET message = 'x' WHERE TRUE", "UPDATE"),
        ("INSERT INTO DS.logs (message) VALUES ('x')", "INSERT"),
        ("MERGE DS.logs USING DS.logs AS s ON FALSE WHEN MATCHED THEN DELETE", "MERGE"),
        ("CREATE TABLE DS.x AS SELECT 1", "CREATE TABLE"),
        ("DROP TABLE DS.logs", "DROP TABLE"),
        ("ALTER TABLE DS.logs ADD COLUMN x STRING", "ALTER TABLE"),
        ("SELECT 1; SELECT 2", "scripts"),
        ("DECLARE x INT64; SELECT x", "scripts"),
        ("CALL p()", "CALL"),
        ("SELECT SAFE.PARSE_JSON('x')", "SAFE."),
        ("SELECT * FROM DS.`logs_*`", "logs_*"),
        ("SELECT * FROM DS.INFORMATION_SCHEMA.TABLES", "INFORMATION_SCHEMA"),
        ("SELECT * FROM DS.logs FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", "SYSTEM_TIME"),
        ("EXPORT DATA OPTIONS(uri='x') AS SELECT 1", "EXPORT"),
    ],
)
def test_what_is_not_supported_is_named(bigquery: Warehouse, sql: str, named: str) -> None:
    bigquery.create_log_table()
    with pytest.raises(BadRequest) as refused:
        bigquery.rows(sql)
    assert "does not support" in str(refused.value)
    assert named in str(refused.value)
    assert bigquery.rows("SELECT COUNT(*) FROM DS.logs") == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM `/etc/passwd`",
        "SELECT * FROM DS.`/etc/passwd`",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM DS.duckdb_settings",
        "SELECT * FROM sandbox.resources",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT * FROM query('SELECT 1')",
        "ATTACH '/tmp/x.db'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
        "SELECT * FROM rows",
    ],
)
def test_no_query_reaches_the_machine(bigquery: Warehouse, sql: str) -> None:
    with pytest.raises(Exception, match=r"40[04]"):
        bigquery.rows(sql)


@pytest.mark.parametrize("name", ['x"; DROP TABLE y; --', "a'b", "a`b"])
def test_a_hostile_name_is_only_a_name(bigquery: Warehouse, name: str) -> None:
    with pytest.raises(BadRequest, match="Invalid table ID"):
        bigquery.rest.create_table(gbq.Table(bigquery.path("t").replace("t", name)))


def test_a_view_of_a_view_follows_its_table(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    for name, source in (("v1", "logs"), ("v2", "v1")):
        view = gbq.Table(bigquery.path(name))
        view.view_query = f"SELECT * FROM `{bigquery.path(source)}` WHERE severity = 'ERROR'"
        bigquery.rest.create_table(view)
    bigquery.append_batch("logs", log_batch(10))
    assert bigquery.rows("SELECT COUNT(*), MIN(x.timestamp) FROM DS.v2 AS x") == [(2, BASE_TIME)]
    assert bigquery.rest.get_table(bigquery.path("v2")).table_type == "VIEW"


def test_a_view_that_cannot_be_read_is_not_made(bigquery: Warehouse) -> None:
    view = gbq.Table(bigquery.path("v"))
    view.view_query = f"SELECT nope FROM `{bigquery.path('logs')}`"
    bigquery.create_log_table()
    with pytest.raises(BadRequest, match="Unrecognized name: nope"):
        bigquery.rest.create_table(view)
