"""What an analyst asks BigQuery about the events, through Google's own client."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.cloud import bigquery
from rich import box
from rich.table import Table

from logship_sandbox.demo.delivered import ask


@dataclass(frozen=True, slots=True)
class Question:
    title: str
    sql: str


QUESTIONS: Sequence[Question] = (
    Question(
        "Events per service and minute",
        """
        SELECT JSON_VALUE(payload, '$.service') AS service,
               FORMAT_TIMESTAMP('%H:%M', TIMESTAMP_TRUNC(timestamp, MINUTE)) AS minute,
               COUNT(*) AS events
        FROM `logs.app_dedup`
        WHERE DATE(timestamp) >= DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY)
        GROUP BY service, minute
        ORDER BY service, minute
        """,
    ),
    Question(
        "Error rate",
        """
        SELECT JSON_VALUE(payload, '$.service') AS service,
               COUNT(*) AS events,
               COUNTIF(severity = 'ERROR') AS errors,
               ROUND(100 * COUNTIF(severity = 'ERROR') / COUNT(*), 2) AS percent
        FROM `logs.app_dedup`
        WHERE DATE(timestamp) >= DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY)
        GROUP BY service
        ORDER BY percent DESC
        """,
    ),
    Question(
        "Slowest paths",
        """
        SELECT JSON_VALUE(payload, '$.http.path') AS path,
               COUNT(*) AS requests,
               ROUND(AVG(CAST(JSON_VALUE(payload, '$.http.latency_ms') AS FLOAT64)), 1) AS mean_ms,
               ROUND(APPROX_QUANTILES(
                 CAST(JSON_VALUE(payload, '$.http.latency_ms') AS FLOAT64), 100)[OFFSET(95)], 1
               ) AS p95_ms
        FROM `logs.app_dedup`
        WHERE DATE(timestamp) >= DATE_SUB(CURRENT_DATE(), INTERVAL 1 DAY)
        GROUP BY path
        ORDER BY p95_ms DESC
        LIMIT 5
        """,
    ),
)


def answer(client: bigquery.Client, question: Question) -> Table:
    """The answer as a table; raises what the client raises."""
    found = ask(client, question.sql)
    table = Table(box=box.ROUNDED)
    for place, column in enumerate(found.schema):
        numeric = column.field_type in ("INTEGER", "FLOAT", "INT64", "FLOAT64")
        table.add_column(column.name, justify="right" if numeric and place else "left")
    for row in found:
        table.add_row(*(_shown(value) for value in row.values()))
    return table


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
