"""DuckDB, the sandbox's storage and query engine. Every method blocks: call it from a thread.

A dataset is a DuckDB schema named `project.dataset`; the REST resources are kept beside the rows,
in `sandbox.resources`, so a data directory can be opened again. Writers take turns under one lock;
readers never wait for them and see every append that was acknowledged.

Nothing that a query says reaches the machine: external access, extensions and Python's variables
are switched off and the configuration is locked before the first query; the translator lets only
one SELECT over known tables through.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_resources import FieldSchema, TableReference
from logship_sandbox.bigquery_types import answer_field, duckdb_type, quoted

MAX_RESULT_BYTES = 256 << 20
QUERY_TIMEOUT_SECS = 120.0
_BATCH_ROWS = 65_536
_SETTINGS = (
    # The default (16 MB) checkpoints every 50,000 rows and halves the rate of appends.
    "SET checkpoint_threshold = '1GB'",
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


@dataclass(frozen=True)
class Answer:
    """A query's result."""

    fields: tuple[FieldSchema, ...]
    rows: pa.Table


def physical(ref: TableReference) -> str:
    """The table's name in DuckDB's SQL."""
    return f"{quoted(f'{ref.project_id}.{ref.dataset_id}')}.{quoted(ref.table_id)}"


class Store:
    """One DuckDB database: a file in `data_dir`, or memory when that is None."""

    def __init__(self, data_dir: str | None) -> None:
        path = ":memory:"
        if data_dir is not None:
            Path(data_dir).mkdir(parents=True, exist_ok=True)
            path = str(Path(data_dir) / "bigquery.duckdb")
        try:
            self._root = duckdb.connect(path)
        except duckdb.Error as error:
            raise OSError(f"cannot open {path}, is another sandbox using it? {error}") from None
        self._writing = threading.Lock()
        self._running: set[duckdb.DuckDBPyConnection] = set()
        for statement in _SETTINGS:
            self._root.execute(statement)
        self._root.execute("CREATE SCHEMA IF NOT EXISTS sandbox")
        self._root.execute(
            "CREATE TABLE IF NOT EXISTS sandbox.resources"
            " (kind VARCHAR, name VARCHAR, resource VARCHAR, PRIMARY KEY (kind, name))"
        )

    def interrupt(self) -> None:
        """End the queries that run now, with an error for who asked them."""
        for cursor in list(self._running):
            cursor.interrupt()

    def close(self) -> None:
        self._root.close()

    def load(self, kind: str) -> list[str]:
        """The kept resources of a kind, as JSON."""
        with self._cursor() as cursor:
            cursor.execute("SELECT resource FROM sandbox.resources WHERE kind = ?", [kind])
            return [str(row[0]) for row in cursor.fetchall()]

    def change(self, statements: list[str], kind: str, name: str, resource: str | None) -> None:
        """Run DDL and keep (or, for None, drop) the resource it belongs to, in one transaction."""
        with self._writing, self._cursor() as cursor:
            cursor.begin()
            try:
                for statement in statements:
                    cursor.execute(statement)
                cursor.execute(
                    "DELETE FROM sandbox.resources WHERE kind = ? AND name = ?", [kind, name]
                )
                if resource is not None:
                    cursor.execute(
                        "INSERT INTO sandbox.resources VALUES (?, ?, ?)", [kind, name, resource]
                    )
                cursor.commit()
            except BaseException:
                cursor.rollback()
                raise

    def append(self, ref: TableReference, rows: pa.Table) -> None:
        """All rows or none; visible to queries when it returns. duckdb.Error says what is wrong."""
        columns = ", ".join(quoted(name) for name in rows.column_names)
        sql = f"INSERT INTO {physical(ref)} ({columns}) SELECT {columns} FROM appended"  # noqa: S608
        with self._writing, self._cursor() as cursor:
            cursor.register("appended", rows)
            try:
                cursor.execute(sql)
            finally:
                cursor.unregister("appended")

    def count(self, ref: TableReference) -> int:
        """Rows in the table."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {physical(ref)}")  # noqa: S608  # quoted
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def invalid_json(self, texts: "pa.ChunkedArray[pa.StringScalar]") -> list[int]:
        """Indexes of the texts that are not JSON; null is."""
        with self._cursor() as cursor:
            cursor.register("texts", pa.table({"i": pa.array(range(len(texts))), "t": texts}))
            cursor.execute("SELECT i FROM texts WHERE NOT json_valid(t) ORDER BY i")
            return [int(row[0]) for row in cursor.fetchall()]

    def describe(self, sql: str) -> tuple[FieldSchema, ...]:
        """The columns a SELECT would answer, without running it."""
        with self._cursor() as cursor:
            return _fields(cursor.sql(sql))

    def select(self, sql: str) -> Answer:
        """Run a SELECT. Bounded in seconds and in bytes of the result."""
        with self._cursor() as cursor:
            watchdog = threading.Timer(QUERY_TIMEOUT_SECS, cursor.interrupt)
            watchdog.start()
            self._running.add(cursor)
            try:
                relation = cursor.sql(sql)
                fields = _fields(relation)
                return Answer(fields, _bounded(relation.to_arrow_reader(_BATCH_ROWS)))
            finally:
                self._running.discard(cursor)
                watchdog.cancel()

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._root.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def create_table(ref: TableReference, fields: tuple[FieldSchema, ...]) -> str:
    return f"CREATE TABLE {physical(ref)} ({', '.join(_column(field) for field in fields)})"


def add_column(ref: TableReference, field: FieldSchema) -> str:
    return f"ALTER TABLE {physical(ref)} ADD COLUMN {_column(field)}"


def relax_column(ref: TableReference, field: FieldSchema) -> str:
    return f"ALTER TABLE {physical(ref)} ALTER COLUMN {quoted(field.name)} DROP NOT NULL"


def _column(field: FieldSchema) -> str:
    suffix = " NOT NULL" if field.mode == "REQUIRED" else ""
    return f"{quoted(field.name)} {duckdb_type(field)}{suffix}"


def _fields(relation: duckdb.DuckDBPyRelation) -> tuple[FieldSchema, ...]:
    pairs = zip(relation.columns, relation.types, strict=True)
    return tuple(answer_field(name, kind) for name, kind in pairs)


def _bounded(reader: pa.RecordBatchReader) -> pa.Table:
    batches, held = [], 0
    for batch in reader:
        held += batch.nbytes
        if held > MAX_RESULT_BYTES:
            raise ApiError(
                "responseTooLarge",
                f"Response too large to return: more than {MAX_RESULT_BYTES} bytes in the sandbox. "
                "Select fewer columns or rows.",
            )
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema)
