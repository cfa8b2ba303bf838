"""Which queries filter the partition column, as far as requirePartitionFilter asks."""

import pytest
import sqlglot

from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_resources import (
    FieldSchema,
    Schema,
    Table,
    TableReference,
    TimePartitioning,
    View,
)
from logship_sandbox.bigquery_sql import Context, translate

LOGS = Table(
    TableReference("p", "d", "logs"),
    schema=Schema((FieldSchema("timestamp", "TIMESTAMP"), FieldSchema("insert_id", "STRING"))),
    time_partitioning=TimePartitioning(field="timestamp"),
    require_partition_filter=True,
)
DEDUP = Table(
    TableReference("p", "d", "dedup"),
    view=View(
        "SELECT * FROM p.d.logs QUALIFY ROW_NUMBER() OVER "
        "(PARTITION BY DATE(timestamp), insert_id ORDER BY timestamp) = 1"
    ),
)
FILTERED = [
    "SELECT 1 FROM d.logs WHERE timestamp > '2026-01-01'",
    "SELECT 1 FROM d.logs WHERE TIMESTAMP '2026-01-01' <= timestamp AND insert_id = 'x'",
    "SELECT 1 FROM d.logs WHERE DATE(timestamp) = '2026-01-01'",
    "SELECT 1 FROM d.logs WHERE DATE(timestamp) IN ('2026-01-01', '2026-01-02')",
    "SELECT 1 FROM d.logs WHERE timestamp BETWEEN '2026-01-01' AND '2026-01-02'",
    "SELECT 1 FROM d.logs l WHERE l.timestamp >= TIMESTAMP_SUB(CURRENT_TIMESTAMP(),"
    " INTERVAL 1 DAY)",
    "SELECT 1 FROM d.logs WHERE TIMESTAMP_TRUNC(timestamp, DAY) = TIMESTAMP '2026-01-01'",
    "SELECT 1 FROM d.logs WHERE (timestamp < '2026-01-01' OR timestamp > '2026-02-01')",
    "SELECT 1 FROM (SELECT * FROM d.logs) WHERE timestamp > '2026-01-01'",
    "SELECT 1 FROM (SELECT timestamp AS t FROM d.logs) WHERE t > '2026-01-01'",
    "WITH x AS (SELECT * FROM d.logs) SELECT 1 FROM x WHERE DATE(timestamp) = '2026-01-01'",
    "SELECT 1 FROM (SELECT DATE(timestamp) AS day, COUNT(*) FROM d.logs GROUP BY day)"
    " WHERE day = '2026-01-01'",
    "SELECT 1 FROM d.dedup WHERE DATE(timestamp) = '2026-01-01'",
    "SELECT 1 FROM d.logs a JOIN d.logs b ON a.insert_id = b.insert_id"
    " AND b.timestamp > '2026-01-01' WHERE a.timestamp > '2026-01-01'",
]
UNFILTERED = [
    "SELECT 1 FROM d.logs",
    "SELECT 1 FROM d.logs WHERE insert_id = 'x'",
    "SELECT 1 FROM d.logs WHERE timestamp > '2026-01-01' OR insert_id = 'x'",
    "SELECT 1 FROM d.logs WHERE timestamp = (SELECT MAX(timestamp) FROM d.logs)",
    "SELECT 1 FROM d.logs WHERE CAST(timestamp AS STRING) LIKE '2026%'",
    "SELECT 1 FROM d.logs WHERE timestamp = timestamp",
    "SELECT 1 FROM (SELECT * FROM d.logs LIMIT 10) WHERE timestamp > '2026-01-01'",
    "SELECT 1 FROM d.dedup",
    "SELECT 1 FROM d.dedup WHERE timestamp > '2026-01-01'",
    "SELECT 1 FROM d.dedup WHERE insert_id = 'x'",
    "SELECT 1 FROM d.logs a JOIN d.logs b USING (insert_id) WHERE a.timestamp > '2026-01-01'",
    "SELECT 1 FROM d.logs WHERE timestamp > '2026-01-01' UNION ALL SELECT 2 FROM d.logs",
    "SELECT (SELECT COUNT(*) FROM d.logs)",
]


def lookup(ref: TableReference) -> Table:
    return {"logs": LOGS, "dedup": DEDUP}[ref.table_id]


@pytest.mark.parametrize("sql", FILTERED)
def test_a_filter_on_the_partition_is_enough(sql: str) -> None:
    sqlglot.parse_one(translate(sql, Context("p", lookup)), read="duckdb")


@pytest.mark.parametrize("sql", UNFILTERED)
def test_without_one_the_query_is_refused_in_bigquerys_words(sql: str) -> None:
    with pytest.raises(ApiError) as refused:
        translate(sql, Context("p", lookup))
    assert str(refused.value) == (
        "Cannot query over table 'p.d.logs' without a filter over column(s) 'timestamp' that can "
        "be used for partition elimination"
    )
