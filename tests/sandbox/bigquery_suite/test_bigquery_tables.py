"""Tables in the sandbox: changes BigQuery refuses, faults on request, and a data directory."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import duckdb
import pyarrow as pa
import pytest
from google.api_core.exceptions import (
    BadRequest,
    DeadlineExceeded,
    Forbidden,
    NotFound,
    PreconditionFailed,
    ServiceUnavailable,
)
from google.cloud import bigquery as gbq

from logship_sandbox import bigquery_server
from logship_sandbox.bigquery_catalog import changed_columns
from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_resources import FieldSchema, Schema, Table, TableReference
from logship_sandbox.bigquery_store import Store
from logship_sandbox.faults import Action, Verdict
from tests.sandbox.bigquery_harness import (
    NO_RETRY,
    PROJECT,
    Trouble,
    Warehouse,
    connected,
    log_batch,
    log_schema,
    request,
)

START_SECS = 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clustering_fields": ["nothing"]}, "cannot be found"),
        ({"clustering_fields": ["payload"]}, "Clustering is not supported"),
        ({"clustering_fields": ["pod", "node", "trace", "cluster", "stream"]}, "Too many"),
        ({"time_partitioning": gbq.TimePartitioning(field="nothing")}, "cannot be found"),
        ({"time_partitioning": gbq.TimePartitioning(field="message")}, "must be a TIMESTAMP"),
        ({"time_partitioning": gbq.TimePartitioning()}, "timePartitioning.field"),
        ({"schema": [gbq.SchemaField("g", "GEOGRAPHY")]}, "no type GEOGRAPHY"),
        ({"schema": [*log_schema(), gbq.SchemaField("POD", "STRING")]}, "Duplicate field name"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    bigquery: Warehouse, options: dict[str, object], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        bigquery.create_log_table("logs", **options)
    with pytest.raises(NotFound):
        bigquery.rest.get_table(bigquery.path("logs"))


def table_of(*fields: FieldSchema) -> Table:
    return Table(TableReference("p", "d", "t"), schema=Schema(fields))


OLD = table_of(FieldSchema("a", "STRING", "REQUIRED"), FieldSchema("b", "INTEGER"))


def test_columns_may_be_added_and_relaxed() -> None:
    a, b, c = FieldSchema("a", "STRING"), FieldSchema("b", "INTEGER"), FieldSchema("c", "JSON")
    assert changed_columns(OLD, table_of(a, b, c)) == ((c,), (a,))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([FieldSchema("a", "STRING", "REQUIRED")], "Field b is missing in new schema"),
        ([FieldSchema("a", "STRING"), FieldSchema("b", "STRING")], "b has changed type"),
        ([FieldSchema("a", "STRING"), FieldSchema("b", "INTEGER", "REQUIRED")], "changed mode"),
        ([*OLD.fields, FieldSchema("c", "STRING", "REQUIRED")], "Cannot add required fields"),
    ],
)
def test_other_changes_of_columns_are_refused(fields: list[FieldSchema], message: str) -> None:
    with pytest.raises(ApiError, match=message):
        changed_columns(OLD, table_of(*fields))


def test_a_relaxed_column_takes_null(bigquery: Warehouse) -> None:
    table = bigquery.create_log_table(schema=log_schema(), time_partitioning=None)
    assert bigquery.append_batch("logs", log_batch(1, timestamp=[None])).error.code
    table.schema = [gbq.SchemaField("timestamp", "TIMESTAMP"), *table.schema[1:]]
    bigquery.rest.update_table(table, ["schema"])
    assert not bigquery.append_batch("logs", log_batch(1, timestamp=[None])).error.code


def test_an_update_of_an_older_state_is_refused(bigquery: Warehouse) -> None:
    table = bigquery.create_log_table()
    stale = bigquery.rest.get_table(table)
    table.description = "first"
    bigquery.rest.update_table(table, ["description"])
    stale.description = "second"
    with pytest.raises(PreconditionFailed):
        bigquery.rest.update_table(stale, ["description"])
    assert bigquery.rest.get_table(table).description == "first"


def test_a_dataset_in_use_is_not_deleted(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    with pytest.raises(BadRequest, match="still in use"):
        bigquery.rest.delete_dataset(bigquery.dataset)
    bigquery.rest.delete_dataset(bigquery.dataset, delete_contents=True)
    with pytest.raises(NotFound):
        bigquery.rest.get_table(bigquery.path("logs"))


def test_a_deleted_table_can_be_made_again(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    bigquery.append_batch("logs", log_batch(3))
    bigquery.rest.delete_table(bigquery.path("logs"))
    bigquery.create_log_table()
    assert bigquery.count("logs") == 0


def test_other_jobs_than_queries_are_named_as_unsupported(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    with pytest.raises(BadRequest, match="does not support copy jobs"):
        bigquery.rest.copy_table(bigquery.path("logs"), bigquery.path("copy"), retry=NO_RETRY)


def test_a_fault_is_done_to_both_doors(bigquery: Warehouse) -> None:
    bigquery.create_log_table()
    bigquery.faults.verdict = Verdict(Action.FAIL, code=403)
    with pytest.raises(Forbidden):
        bigquery.rest.get_table(bigquery.path("logs"), retry=NO_RETRY)
    with pytest.raises(Forbidden):
        bigquery.append_batch("logs", log_batch(1))
    bigquery.faults.verdict = Verdict()
    assert bigquery.count("logs") == 0


def test_a_dropped_connection_has_no_answer(bigquery: Warehouse) -> None:
    bigquery.faults.verdict = Verdict(Action.DROP)
    with pytest.raises(OSError, match=r"Connection (aborted|reset)"):
        bigquery.rest.get_dataset(bigquery.dataset, retry=NO_RETRY)
    with pytest.raises(ServiceUnavailable):
        bigquery.append_batch("logs", log_batch(1))


def test_a_hung_call_ends_with_its_client(bigquery: Warehouse) -> None:
    bigquery.faults.verdict = Verdict(Action.HANG)
    with pytest.raises(OSError, match="timed out"):
        bigquery.rest.get_dataset(bigquery.dataset, retry=NO_RETRY, timeout=0.2)
    call = bigquery.write.append_rows
    appended = request(bigquery.stream("logs"), log_batch(1))
    with pytest.raises(DeadlineExceeded):
        list(call(iter([appended]), timeout=0.2))


def test_a_data_directory_is_opened_again(loop: asyncio.AbstractEventLoop, tmp_path: Path) -> None:
    with opened(loop, tmp_path) as bq:
        bq.rest.create_dataset("kept")
        bq.create_log_table(require_partition_filter=True)
        bq.append_batch("logs", log_batch(3))
    with opened(loop, tmp_path) as bq:
        assert not bq.append_batch("logs", log_batch(2)).error.code
        assert bq.rest.get_table(bq.path("logs")).num_rows == 5
        with pytest.raises(BadRequest, match="partition elimination"):
            bq.count("logs")


@contextmanager
def opened(loop: asyncio.AbstractEventLoop, folder: Path) -> Iterator[Warehouse]:
    starting = bigquery_server.start("127.0.0.1", 0, 0, str(folder))
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(START_SECS)
    try:
        ports = (server.http_port, server.grpc_port)
        with connected("sandbox", ports, "kept", Trouble()) as bq:
            yield bq
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(START_SECS)


def test_a_data_directory_in_use_or_a_taken_port_is_an_os_error(
    loop: asyncio.AbstractEventLoop, sandbox_ports: tuple[int, int], tmp_path: Path
) -> None:
    (tmp_path / "bigquery.duckdb").mkdir()
    for http, rpc, folder in (
        (0, 0, str(tmp_path)),
        (sandbox_ports[0], 0, None),
        (0, sandbox_ports[1], None),
    ):
        starting = bigquery_server.start("127.0.0.1", http, rpc, folder)
        with pytest.raises(OSError, match=r"duckdb|address|listen"):
            asyncio.run_coroutine_threadsafe(starting, loop).result(START_SECS)


def test_the_database_itself_reaches_nothing() -> None:
    store = Store(None)
    try:
        for sql in ("SELECT * FROM read_text('/etc/hostname')", "SELECT * FROM glob('/*')"):
            with pytest.raises(duckdb.PermissionException):
                store.select(sql)
        with pytest.raises(duckdb.Error):
            store.select("SET enable_external_access = true")
        variable = pa.table({"of": ["Python"]})
        with pytest.raises(duckdb.CatalogException):
            store.select("SELECT * FROM variable")
        assert variable.num_rows == 1
    finally:
        store.close()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nonsense", b"{}", 404),
        ("datasets", b"{", 400),
        ("datasets", b"[]", 400),
        ("datasets", b'{"datasetReference": {"datasetId": 7}}', 400),
        ("datasets", b'{"datasetReference": {"datasetId": "no-dash"}}', 400),
        ("queries", b'{"query": "SELECT 1"}', 400),
    ],
)
def test_a_wrong_request_gets_googles_error_body(
    sandbox_ports: tuple[int, int], path: str, body: bytes, status: int
) -> None:
    answer = asyncio.run(_raw(sandbox_ports[0], path, body))
    assert answer["error"]["code"] == status  # type: ignore[index]
    assert answer["error"]["message"]  # type: ignore[index]
    assert answer["error"]["errors"][0]["reason"]  # type: ignore[index]


async def _raw(port: int, path: str, body: bytes) -> dict[str, object]:
    url = f"http://127.0.0.1:{port}/bigquery/v2/projects/{PROJECT}/{path}"
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        answer = await response.json()
    assert isinstance(answer, dict)
    return answer
