"""The sandbox's BigQuery on a thread of its own, and Google's own client to look into it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from logship_gcp.bigquery.sink import BigQuerySink, BigQuerySinkConfig

from logship.testing import context
from logship_sandbox import bigquery_server
from logship_sandbox.faults import Faults


@dataclass
class Warehouse:
    """A running BigQuery."""

    endpoint: str
    grpc_endpoint: str
    client: Any
    faults: Faults

    def query(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.client.query_and_wait(sql)]

    def rows(self, table: str = "logs.app") -> list[dict[str, Any]]:
        return self.query(f"SELECT * FROM {table} ORDER BY insert_id")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    faults = Faults()
    starting = bigquery_server.start("127.0.0.1", 0, 0, None, faults)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(20)
    endpoint = f"http://127.0.0.1:{server.http_port}"
    client = bigquery.Client(
        project="shop",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": endpoint},
    )
    try:
        yield Warehouse(endpoint, f"127.0.0.1:{server.grpc_port}", client, faults)
    finally:
        client.close()
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture(autouse=True)
def empty(warehouse: Warehouse) -> Iterator[None]:
    yield
    warehouse.faults.clear()
    for dataset in list(warehouse.client.list_datasets()):
        warehouse.client.delete_dataset(dataset.dataset_id, delete_contents=True)


Use = Callable[[BigQuerySink], Awaitable[Any]]


@pytest.fixture
def with_sink(warehouse: Warehouse) -> Callable[..., Any]:
    """Runs `use(sink)` in a loop of its own; gives what it returns."""

    def run(use: Use, **options: Any) -> Any:
        async def main() -> Any:
            tested = context("out")
            options.setdefault("dataset", "logs")
            options.setdefault("table", "app")
            config = BigQuerySinkConfig(
                project="shop",
                endpoint=warehouse.endpoint,
                grpc_endpoint=warehouse.grpc_endpoint,
                **options,
            )
            sink = BigQuerySink(config, tested)
            await sink.start()
            try:
                return await asyncio.wait_for(use(sink), 30)
            finally:
                await sink.close()
                tested.world.offload.close()

        return asyncio.run(main())

    return run
