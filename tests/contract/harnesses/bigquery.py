"""`bigquery` against the sandbox's BigQuery; looked into by Google's own client."""

import asyncio
import random
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from logship_gcp.bigquery.sink import BigQuerySink, BigQuerySinkConfig

from logship.testing import context
from logship_sandbox import bigquery_server
from logship_sandbox.bigquery_resources import Table
from logship_sandbox.bigquery_rows import RowFault
from logship_sandbox.faults import Action, Fault, Verdict
from tests.contract.harness import Able, Harness, Stored

_WAIT_SECS = 10.0
_REFUSED = "a row that BigQuery refuses"
_ROWS = "SELECT insert_id, UNIX_MICROS(timestamp) AS micros, nanos, message FROM logs.app"


class Trouble:
    """What the sandbox does to the next call."""

    def __init__(self) -> None:
        self.action = Action.SERVE
        self.flaky = False
        self.hung = asyncio.Event()
        self._dice = random.Random(7)

    def next(self, service: str) -> Verdict:
        action = self.action
        if self.flaky:
            action = self._dice.choice([*[Action.SERVE] * 4, Action.FAIL, Action.DROP])
        if action is Action.HANG:
            self.hung.set()
        return Verdict(action, code=503)

    def current(self, service: str) -> Fault:
        return Fault()


class BigQueryHarness(Harness):
    able = frozenset({Able.STORE, Able.REFUSE, Able.FAIL, Able.FLAKE, Able.STALL})

    def __init__(self, _: Path) -> None:
        self._context = context("bq")
        self._trouble = Trouble()

    async def __aenter__(self) -> "BigQueryHarness":
        self._server = await bigquery_server.start("127.0.0.1", 0, 0, None, self._trouble)
        service: Any = self._server._service
        self._take, service.append = service.append, self._append
        endpoint = f"http://127.0.0.1:{self._server.http_port}"
        config = BigQuerySinkConfig(
            dataset="logs",
            table="app",
            project="shop",
            endpoint=endpoint,
            grpc_endpoint=f"127.0.0.1:{self._server.grpc_port}",
            request_timeout_secs=_WAIT_SECS,
        )
        self._client: Any = bigquery.Client(
            project="shop",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": endpoint},
        )
        self.sink = BigQuerySink(config, self._context)
        await self.sink.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.sink.close()
        await self._server.close()
        self._client.close()
        self._context.world.offload.close()

    async def stored(self) -> list[Stored]:
        return await asyncio.to_thread(self._look)

    def _look(self) -> list[Stored]:
        if not any(table.table_id == "app" for table in self._tables()):
            return []
        rows = self._client.query_and_wait(_ROWS)
        return [Stored(r.insert_id, r.micros * 1000 + r.nanos, r.message) for r in rows]

    def _tables(self) -> list[Any]:
        datasets = list(self._client.list_datasets())
        return [t for d in datasets for t in self._client.list_tables(d.dataset_id)]

    def refused_row(self) -> tuple[str, int]:
        return _REFUSED, 0

    async def _append(self, table: Table, batch: pa.RecordBatch) -> list[RowFault]:
        """As the sandbox refuses rows; what it refuses by itself, the sink never sends."""
        messages = batch["message"].to_pylist()
        faults = [RowFault(n, "it says so") for n, text in enumerate(messages) if text == _REFUSED]
        return faults or await self._take(table, batch)

    def fail(self) -> None:
        self._trouble.action = Action.FAIL

    def flake(self) -> None:
        self._trouble.flaky = True

    def stall(self) -> None:
        self._trouble.action = Action.HANG

    async def stalled(self) -> None:
        await asyncio.wait_for(self._trouble.hung.wait(), _WAIT_SECS)

    def heal(self) -> None:
        self._trouble.action, self._trouble.flaky = Action.SERVE, False

    def held_open(self) -> list[str]:
        ports = {self._server.grpc_port}
        connections = psutil.Process().net_connections("tcp")
        return [str(c) for c in connections if c.raddr and c.raddr.port in ports]
