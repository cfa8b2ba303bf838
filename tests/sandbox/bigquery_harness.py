"""What the BigQuery tests speak through: Google's own clients and a data set of their own."""

import datetime
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import pyarrow as pa
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery as gbq
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcTransport,
)

from logship_sandbox.faults import Fault, Verdict

PROJECT = "test-project"
CALL_SECS = 20
NO_RETRY = Retry(predicate=lambda error: False)
UTC_MICROS = pa.timestamp("us", "UTC")
STRINGS = "severity message cluster namespace pod container node stream trace span_id insert_id"
BASE_TIME = datetime.datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=datetime.UTC)


def log_schema() -> list[gbq.SchemaField]:
    """The columns of logship's BigQuery sink."""
    fields = [gbq.SchemaField("timestamp", "TIMESTAMP", "REQUIRED")]
    fields += [gbq.SchemaField(n, "TIMESTAMP") for n in ("event_time", "ingest_time")]
    fields += [gbq.SchemaField(name, "STRING") for name in STRINGS.split()]
    fields += [gbq.SchemaField(name, "JSON") for name in ("payload", "labels")]
    return [*fields, gbq.SchemaField("nanos", "INT64")]


def log_batch(rows: int, **columns: object) -> pa.RecordBatch:
    """Rows a second apart, one in five an ERROR; `columns` replaces or adds some of them."""
    times = [BASE_TIME + datetime.timedelta(seconds=i) for i in range(rows)]
    payloads = [json.dumps({"ms": i, "user": {"id": f"u{i % 3}"}}) for i in range(rows)]
    made: dict[str, object] = {
        "timestamp": pa.array(times, UTC_MICROS),
        "severity": ["ERROR" if i % 5 == 0 else "INFO" for i in range(rows)],
        "message": [f"line {i}" for i in range(rows)],
        "payload": payloads,
        "namespace": ["shop"] * rows,
        "insert_id": [f"id-{i:06}" for i in range(rows)],
        "ingest_time": pa.array(times, UTC_MICROS),
        "nanos": pa.array(range(rows), pa.int64()),
    }
    return pa.record_batch({**made, **columns})


def request(
    stream: str, batch: pa.RecordBatch, schema: bool = True, **more: object
) -> types.AppendRowsRequest:
    """An AppendRowsRequest; `schema` brings the writer schema."""
    made = types.AppendRowsRequest(write_stream=stream, **more)
    if schema:
        made.arrow_rows.writer_schema.serialized_schema = batch.schema.serialize().to_pybytes()
    made.arrow_rows.rows.serialized_record_batch = batch.serialize().to_pybytes()
    return made


class Trouble:
    """Does `verdict` to every call of the sandbox."""

    def __init__(self) -> None:
        self.verdict = Verdict()

    def next(self, service: str) -> Verdict:
        assert service == "bigquery"
        return self.verdict

    def current(self, service: str) -> Fault:
        return Fault()


@dataclass
class Warehouse:
    """A BigQuery under test, and a data set of its own."""

    name: str
    rest: gbq.Client
    write: BigQueryWriteClient
    dataset: str
    faults: Trouble

    def path(self, table: str) -> str:
        return f"{PROJECT}.{self.dataset}.{table}"

    def stream(self, table: str) -> str:
        return f"projects/{PROJECT}/datasets/{self.dataset}/tables/{table}/streams/_default"

    def create_log_table(self, name: str = "logs", **options: object) -> gbq.Table:
        table = gbq.Table(self.path(name), schema=log_schema())
        table.time_partitioning = gbq.TimePartitioning(field="timestamp")
        table.clustering_fields = ["namespace", "container", "severity"]
        for option, value in options.items():
            setattr(table, option, value)
        return self.rest.create_table(table)

    def append(self, *requests: types.AppendRowsRequest) -> list[types.AppendRowsResponse]:
        """One connection with these requests."""
        return list(self.write.append_rows(iter(requests), retry=None, timeout=CALL_SECS))

    def append_batch(self, table: str, batch: pa.RecordBatch) -> types.AppendRowsResponse:
        return self.append(request(self.stream(table), batch))[0]

    def rows(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """A query's rows; DS in it stands for the data set."""
        config = gbq.QueryJobConfig(query_parameters=list(parameters))
        sql = sql.replace("DS.", f"`{PROJECT}`.{self.dataset}.")
        # No job_retry: some errors of queries are retried for minutes by default.
        job = self.rest.query(sql, job_config=config, job_retry=None)
        return [tuple(row) for row in job.result(timeout=CALL_SECS, job_retry=None)]

    def count(self, table: str) -> object:
        return self.rows(f"SELECT COUNT(*) FROM DS.{table}")[0][0]


def client(http: int) -> gbq.Client:
    endpoint = {"api_endpoint": f"http://127.0.0.1:{http}"}
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
    return gbq.Client(PROJECT, nobody, client_options=endpoint)


@contextmanager
def connected(
    name: str, ports: tuple[int, int], dataset: str, faults: Trouble
) -> Iterator[Warehouse]:
    """Clients of a BigQuery at (REST, gRPC) ports."""
    rest = client(ports[0])
    options: Sequence[tuple[str, int]] = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{ports[1]}", options=options) as channel:
        transport = BigQueryWriteGrpcTransport(channel=channel)
        write = BigQueryWriteClient(transport=transport)  # type: ignore[no-untyped-call]
        yield Warehouse(name, rest, write, dataset, faults)
    rest.close()  # type: ignore[no-untyped-call]


def warehouse(name: str, ports: tuple[int, int], faults: Trouble) -> Iterator[Warehouse]:
    """One with a data set of its own, gone afterwards."""
    with connected(name, ports, f"d_{uuid.uuid4().hex[:12]}", faults) as made:
        made.rest.create_dataset(made.dataset)
        yield made
        faults.verdict = Verdict()
        made.rest.delete_dataset(made.dataset, delete_contents=True, not_found_ok=True)
