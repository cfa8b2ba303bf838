"""The table: its columns, how it is partitioned, and the view that shows every row once.

The same names are written by `pubsub` in format `record`. Plain values: nothing of Google's or
Arrow's libraries here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    description: str
    required: bool = False


COLUMNS = (
    Column("timestamp", "TIMESTAMP", "When the runtime read the row, microseconds", required=True),
    Column("nanos", "INT64", "The nanoseconds beside timestamp's microseconds, 0 to 999"),
    Column("event_time", "TIMESTAMP", "The application's own time, where it wrote one"),
    Column("severity", "STRING", "As in Cloud Logging"),
    Column("message", "STRING", "The text, or the message of a JSON object"),
    Column("payload", "JSON", "The row's JSON object"),
    Column("cluster", "STRING", "Of Kubernetes"),
    Column("namespace", "STRING", "Of the pod"),
    Column("pod", "STRING", "Its name"),
    Column("container", "STRING", "Its name"),
    Column("node", "STRING", "Where the pod ran"),
    Column("stream", "STRING", "stdout or stderr"),
    Column("labels", "JSON", "Of the pod, and those that transforms added"),
    Column("trace", "STRING", "Of the request that the row belongs to"),
    Column("span_id", "STRING", "Within the trace"),
    Column("insert_id", "STRING", "The row's id: copies of a row have the same"),
    Column("ingest_time", "TIMESTAMP", "When the row was written here"),
)
PARTITION_COLUMN = "timestamp"
CLUSTER_COLUMNS = ("namespace", "container", "severity")
VIEW_SUFFIX = "_dedup"


@dataclass(frozen=True, slots=True)
class TableName:
    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}.{self.dataset}.{self.table}"

    @property
    def stream(self) -> str:
        """The write stream that every table has."""
        path = f"projects/{self.project}/datasets/{self.dataset}/tables/{self.table}"
        return f"{path}/streams/_default"

    @property
    def view(self) -> "TableName":
        return TableName(self.project, self.dataset, self.table + VIEW_SUFFIX)


def view_sql(table: TableName) -> str:
    """Every row once: of the copies of an id the first that was written.

    The day stands in PARTITION BY, because only then BigQuery moves a filter on it through the
    window: `WHERE DATE(timestamp) = ...` on the view reads one partition of the table. Copies of a
    row have the same timestamp, so it takes nothing away.
    """
    return (
        "SELECT *\n"
        f"FROM `{table}`\n"
        "WHERE TRUE\n"
        "QUALIFY ROW_NUMBER() OVER (\n"
        f"  PARTITION BY DATE({PARTITION_COLUMN}), insert_id\n"
        "  ORDER BY ingest_time\n"
        ") = 1"
    )
