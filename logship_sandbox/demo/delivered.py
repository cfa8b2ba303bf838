"""What has arrived, asked of each destination as its users would: entries:list, and SQL.

A Cloud Logging entry is turned back into the text it was made of: the fields that became the
entry's own (severity, trace) are put back into the payload.
"""

from collections.abc import Iterator, Mapping
from typing import cast

import aiohttp
from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from logship_sandbox.client import Rest
from logship_sandbox.demo.account import Delivery, Row, canonical, spelled
from logship_sandbox.demo.configs import PROJECT
from logship_sandbox.logging_time import parse_time

_PAGE_ENTRIES = 1000
_CALL_SECS = 60.0
_TRACE = "logging.googleapis.com/trace"
# As an analyst writes them; the names are those of `configs`.
_STORED_SQL = "SELECT COUNT(*) FROM `logs.app`"
_DISTINCT_SQL = "SELECT COUNT(DISTINCT insert_id) FROM `logs.app`"
_ROWS_SQL = """
SELECT namespace, pod, container, stream, UNIX_MICROS(timestamp) * 1000 + nanos AS time_ns,
       IFNULL(TO_JSON_STRING(payload), message) AS text
FROM `logs.app_dedup`
"""
_ONCE = Retry(predicate=lambda error: False)


async def logging_delivery(session: aiohttp.ClientSession, endpoint: str) -> Delivery:
    """Everything a reader sees, and how often entries were written (the sandbox counts that)."""
    stats = await sandbox_stats(session, endpoint)
    return Delivery(stats["logging"]["entries"], await logging_rows(session, endpoint))


async def logging_rows(
    session: aiohttp.ClientSession, endpoint: str, filter: str = ""
) -> list[Row]:
    """The entries that the filter takes, page by page."""
    rest = Rest(session, endpoint)
    rows: list[Row] = []
    token = ""
    while True:
        answer = await rest.list(filter, PROJECT, pageSize=_PAGE_ENTRIES, pageToken=token)
        rows.extend(map(_row_of_entry, answer.entries))
        token = str(answer.body.get("nextPageToken", ""))
        if not token:
            return rows


async def sandbox_stats(
    session: aiohttp.ClientSession, endpoint: str
) -> Mapping[str, Mapping[str, int]]:
    async with session.get(f"{endpoint}/sandbox/stats") as answer:
        return cast("Mapping[str, Mapping[str, int]]", await answer.json())


def _row_of_entry(entry: Mapping[str, object]) -> Row:
    labels = _object(_object(entry["resource"])["labels"])
    return Row(
        str(labels["namespace_name"]),
        str(labels["pod_name"]),
        str(labels["container_name"]),
        str(entry["logName"]).rpartition("/")[2],
        parse_time(str(entry["timestamp"])),
        _text_of_entry(entry),
    )


def _text_of_entry(entry: Mapping[str, object]) -> str:
    if "jsonPayload" not in entry:
        return str(entry.get("textPayload", ""))
    fields = {**_object(entry["jsonPayload"]), "severity": entry["severity"]}
    if "trace" in entry:
        fields[_TRACE] = entry["trace"]
    return spelled(fields)


def _object(value: object) -> Mapping[str, object]:
    assert isinstance(value, dict), f"not an object: {value!r}"
    return value


def bigquery_delivery(client: bigquery.Client) -> Delivery:
    """The rows of the view without copies, and how many the table has."""
    return Delivery(bigquery_stored(client), list(_bigquery_rows(client)))


def bigquery_stored(client: bigquery.Client) -> int:
    """Rows of the table, copies included."""
    return _count(client, _STORED_SQL)


def bigquery_distinct(client: bigquery.Client) -> int:
    """Rows of the table, however often each was sent."""
    return _count(client, _DISTINCT_SQL)


def ask(client: bigquery.Client, sql: str) -> RowIterator:
    """The rows; without the client's own retries, which could outlive a demo that is stopped."""
    return client.query_and_wait(
        sql, api_timeout=_CALL_SECS, wait_timeout=_CALL_SECS, retry=_ONCE, job_retry=_ONCE
    )


def _count(client: bigquery.Client, sql: str) -> int:
    (row,) = ask(client, sql)
    return int(row[0])


def _bigquery_rows(client: bigquery.Client) -> Iterator[Row]:
    for found in ask(client, _ROWS_SQL):
        namespace, pod, container, stream, time_ns, text = found.values()
        yield Row(namespace, pod, container, stream, time_ns, canonical(text)[0])
