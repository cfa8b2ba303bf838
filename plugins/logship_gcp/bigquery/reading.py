"""Rows read back by their ids, with a query: for `logship check --roundtrip`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from logship.api import Batch, Retry, time_ns
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.target import Targets

_TIMEOUT_SECS = 30.0


def read_back(
    batches: Sequence[Batch], targets: Targets, project: str, endpoint: str, anonymous: bool
) -> Mapping[str, int]:
    """Blocks. Raises Retry, and says what to grant."""
    client: Any = bigquery.Client(
        project=project,
        credentials=AnonymousCredentials() if anonymous else None,  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": endpoint} if endpoint else None,
    )
    found: Counter[str] = Counter()
    tables: dict[TableName, list[Batch]] = {}
    for batch in batches:
        for table in targets.group(batch):
            tables.setdefault(table, []).append(batch)
    try:
        for table, those in tables.items():
            found.update(_counted(client, table, those))
    except NotFound:
        return found  # it is made with the first row
    except Forbidden as error:
        grant = f"grant roles/bigquery.jobUser on project {project}, and dataViewer on the dataset"
        raise Retry(f"rows cannot be read back: {error.message}; {grant}") from error
    except (GoogleAPICallError, RetryError, GoogleAuthError, OSError) as error:
        raise Retry(f"rows cannot be read back: {error}") from error
    finally:
        client.close()
    return found


def _counted(client: Any, table: TableName, batches: Sequence[Batch]) -> Mapping[str, int]:
    ids = sorted(row_id for batch in batches for row_id in batch.ids())
    times = [time_ns(time) // 1000 for batch in batches for time in batch.rows.times]
    parameters = [
        bigquery.ArrayQueryParameter("ids", "STRING", ids),
        bigquery.ScalarQueryParameter("first", "INT64", min(times)),
        bigquery.ScalarQueryParameter("last", "INT64", max(times)),
    ]
    # The bounds in time keep it to the partitions of today.
    sql = (
        f"SELECT insert_id, COUNT(*) AS copies FROM `{table}` "  # noqa: S608  # a checked name
        "WHERE timestamp BETWEEN TIMESTAMP_MICROS(@first) AND TIMESTAMP_MICROS(@last) "
        "AND insert_id IN UNNEST(@ids) GROUP BY insert_id"
    )
    config = bigquery.QueryJobConfig(query_parameters=parameters, use_query_cache=False)
    job = client.query(sql, job_config=config, retry=None, timeout=_TIMEOUT_SECS)
    return {row.insert_id: row.copies for row in job.result(timeout=_TIMEOUT_SECS)}
