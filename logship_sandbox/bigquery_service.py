"""What the sandbox's BigQuery does, for both of its doors (REST and gRPC).

The catalog lives on the event loop and decides; DuckDB works in threads. One lock orders all
changes of tables, so that the catalog and DuckDB never disagree; queries and appends go without.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import duckdb
import msgspec
import pyarrow as pa

from logship_sandbox.bigquery_catalog import (
    Catalog,
    changed_columns,
    checked,
    stamped_dataset,
    stamped_table,
)
from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_resources import (
    Dataset,
    DatasetReference,
    FieldSchema,
    Resource,
    Schema,
    Table,
    TableReference,
    decode,
    merged,
)
from logship_sandbox.bigquery_rows import RowFault, append_batch
from logship_sandbox.bigquery_sql import (
    NO_PARAMETERS,
    Context,
    Parameters,
    query_error,
    translate,
)
from logship_sandbox.bigquery_store import (
    Answer,
    Store,
    add_column,
    create_table,
    physical,
    relax_column,
)
from logship_sandbox.bigquery_types import quoted

T = TypeVar("T")
_THREADS = 4


@dataclass(frozen=True)
class Query:
    """A query as a client asked it."""

    sql: str
    project: str
    parameters: Parameters = NO_PARAMETERS
    default_dataset: DatasetReference | None = None
    for_view: bool = False


class Service:
    """Datasets, tables, rows and queries."""

    def __init__(self, data_dir: str | None) -> None:
        self.catalog = Catalog()
        self._store = Store(data_dir)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox-bigquery")
        self._changing = asyncio.Lock()
        for text in self._store.load("dataset"):
            self.catalog.put_dataset(msgspec.json.decode(text, type=Dataset))
        for text in self._store.load("table"):
            self.catalog.put_table(msgspec.json.decode(text, type=Table))

    def close(self) -> None:
        """Break off what runs, then close the database."""
        self._store.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._store.close()

    async def create_dataset(self, dataset: Dataset) -> Dataset:
        async with self._changing:
            made = self.catalog.new_dataset(dataset)
            await self._change([f"CREATE SCHEMA {_schema(made.dataset_reference)}"], made)
            self.catalog.put_dataset(made)
            return made

    async def update_dataset(self, ref: DatasetReference, patch: dict[str, object]) -> Dataset:
        async with self._changing:
            made = stamped_dataset(decode(Dataset, merged(self.catalog.dataset(ref), patch)))
            await self._change([], made)
            self.catalog.put_dataset(made)
            return made

    async def delete_dataset(self, ref: DatasetReference, delete_contents: bool) -> None:
        async with self._changing:
            tables = list(self.catalog.tables(ref))
            if tables and not delete_contents:
                raise ApiError("resourceInUse", f"Dataset {ref} is still in use")
            for table in tables:
                await self._drop(table)
            drop = [f"DROP SCHEMA {_schema(ref)}"]
            await self._offload(lambda: self._store.change(drop, "dataset", str(ref), None))
            self.catalog.drop_dataset(ref)

    async def create_table(self, table: Table) -> Table:
        """A table, or a view: that one's query is checked, and gives its columns."""
        async with self._changing:
            made = self.catalog.new_table(table)
            ddl = []
            if made.view is None:
                ddl.append(create_table(made.table_reference, made.fields))
            made = await self._with_view_columns(made)
            await self._change(ddl, made)
            self.catalog.put_table(made)
            return made

    async def update_table(
        self, ref: TableReference, patch: dict[str, object], etag: str | None
    ) -> Table:
        """Apply a patch; columns may be added or relaxed, nothing else about them changes."""
        async with self._changing:
            old = self.catalog.table(ref)
            if etag not in (None, "*", old.etag):
                raise ApiError("conditionNotMet", f"Precondition check failed: etag of {ref}")
            new = checked(decode(Table, merged(old, patch)))
            added, relaxed = ((), ()) if new.view else changed_columns(old, new)
            ddl = [add_column(ref, f) for f in added] + [relax_column(ref, f) for f in relaxed]
            new = stamped_table(await self._with_view_columns(new))
            await self._change(ddl, new)
            self.catalog.put_table(new)
            return new

    async def delete_table(self, ref: TableReference) -> None:
        async with self._changing:
            await self._drop(self.catalog.table(ref))

    async def count(self, table: Table) -> int | None:
        """Rows of a table; None for a view."""
        if table.view is not None:
            return None
        return await self._offload(lambda: self._store.count(table.table_reference))

    async def query(self, query: Query) -> Answer:
        """Run a query; ApiError when it is wrong, not supported or too big."""
        return await self._asked(lambda: self._store.select(self._translated(query)))

    async def describe(self, query: Query) -> tuple[FieldSchema, ...]:
        """Check a query as a dry run does."""
        return await self._asked(lambda: self._store.describe(self._translated(query)))

    async def rows(self, ref: TableReference, offset: int, limit: int) -> Answer:
        """tabledata.list: rows in the order of their arrival."""
        page = f"LIMIT {limit:d} OFFSET {offset:d}"
        sql = f"SELECT * FROM {physical(ref)} {page}"  # noqa: S608  # names are quoted
        return await self._asked(lambda: self._store.select(sql))

    async def append(self, table: Table, batch: pa.RecordBatch) -> list[RowFault]:
        """All rows or none, visible when it returns; raises RefusedSchema."""
        return await self._offload(lambda: append_batch(self._store, table, batch))

    def _translated(self, query: Query) -> str:
        """DuckDB's SQL. In a thread too: a long query is parsed for a while."""
        context = Context(query.project, self.catalog.table, query.default_dataset, query.for_view)
        return translate(query.sql, context, query.parameters)

    async def _with_view_columns(self, table: Table) -> Table:
        if table.view is None:
            return table
        if table.view.use_legacy_sql:
            raise ApiError("invalid", "The sandbox has no legacy SQL: set view.useLegacySql=false.")
        project = table.table_reference.project_id
        fields = await self.describe(Query(table.view.query, project, for_view=True))
        return msgspec.structs.replace(table, schema=Schema(fields))

    async def _drop(self, table: Table) -> None:
        ref = table.table_reference
        ddl = [] if table.view else [f"DROP TABLE {physical(ref)}"]
        await self._offload(lambda: self._store.change(ddl, "table", str(ref), None))
        self.catalog.drop_table(ref)

    async def _change(self, ddl: list[str], made: Resource) -> None:
        kind, name = ("dataset", "") if isinstance(made, Dataset) else ("table", "")
        if isinstance(made, (Dataset, Table)):
            name = made.id
        text = msgspec.json.encode(made).decode()
        await self._offload(lambda: self._store.change(ddl, kind, name, text))

    async def _asked(self, work: Callable[[], T]) -> T:
        try:
            return await self._offload(work)
        except duckdb.Error as error:
            raise query_error(f"{type(error).__name__}: {_text(error)}") from None

    async def _offload(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _schema(ref: DatasetReference) -> str:
    return quoted(f"{ref.project_id}.{ref.dataset_id}")


def _text(error: duckdb.Error) -> str:
    """Without DuckDB's own "Binder Error: " in front."""
    kind, _, text = str(error).partition(": ")
    return text if kind.endswith("Error") else str(error)
