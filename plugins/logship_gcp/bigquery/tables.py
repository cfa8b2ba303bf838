"""Makes datasets, tables and views, through Google's REST client in a thread.

Only when the sink may, and once for each table in a process. What exists is left as it is: a table
belongs to whoever made it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, Unauthorized
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from logship.api import Retry
from logship_gcp.bigquery.schema import (
    CLUSTER_COLUMNS,
    COLUMNS,
    PARTITION_COLUMN,
    TableName,
    view_sql,
)

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class TableOptions:
    location: str
    partition_expiration_days: float
    require_partition_filter: bool
    view: bool
    timeout_secs: float


class Tables:
    def __init__(self, project: str, endpoint: str, anonymous: bool, options: TableOptions) -> None:
        """Blocks, while it looks for credentials: `anonymous` needs none."""
        self._options = options
        self._client: Any = bigquery.Client(
            project=project,
            credentials=AnonymousCredentials() if anonymous else None,  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": endpoint} if endpoint else None,
        )

    def make(self, table: TableName) -> None:
        """Blocks. Raises Retry with what to do when it cannot."""
        try:
            self._dataset(table)
            self._call("create_table", self._table(table))
            if self._options.view:
                self._call("create_table", _view(table))
        except (Forbidden, Unauthorized) as error:
            raise Retry(
                f"create {table}: {error.message}; grant roles/bigquery.dataEditor on the dataset "
                "(or roles/bigquery.user on the project, to make the dataset), or set create: false"
            ) from error
        except (GoogleAPICallError, RetryError, GoogleAuthError, OSError) as error:
            raise Retry(f"create {table}: {error}") from error

    def close(self) -> None:
        self._client.close()

    def _call(self, method: str, resource: object) -> None:
        call = getattr(self._client, method)
        call(resource, exists_ok=True, timeout=self._options.timeout_secs, retry=None)

    def _dataset(self, table: TableName) -> None:
        dataset = bigquery.Dataset(f"{table.project}.{table.dataset}")
        if self._options.location:
            dataset.location = self._options.location
        self._call("create_dataset", dataset)

    def _table(self, name: TableName) -> "bigquery.Table":
        options = self._options
        table = bigquery.Table(str(name), schema=_schema())
        days = options.partition_expiration_days
        table.time_partitioning = bigquery.TimePartitioning(
            type_=bigquery.TimePartitioningType.DAY,
            field=PARTITION_COLUMN,
            expiration_ms=int(days * _DAY_MS) or None,
        )
        table.require_partition_filter = options.require_partition_filter
        table.clustering_fields = list(CLUSTER_COLUMNS)
        table.description = "Rows of logs, written by logship"
        return table


def _view(name: TableName) -> "bigquery.Table":
    view = bigquery.Table(str(name.view))
    view.view_query = view_sql(name)
    view.description = f"Every row of {name.table} once; filter on DATE(timestamp)"
    return view


def _schema() -> "Sequence[bigquery.SchemaField]":
    return [
        bigquery.SchemaField(
            column.name,
            column.type,
            mode="REQUIRED" if column.required else "NULLABLE",
            description=column.description,
        )
        for column in COLUMNS
    ]
