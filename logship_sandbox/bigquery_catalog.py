"""Which datasets, tables and views exist, and which changes to them BigQuery allows.

Only values and rules: who calls it keeps DuckDB in step (bigquery_service). Names are
case-sensitive here as in BigQuery, columns are not.
"""

import time
from collections.abc import Iterator

import msgspec

from logship_sandbox.bigquery_errors import ApiError, invalid
from logship_sandbox.bigquery_resources import (
    Dataset,
    DatasetReference,
    FieldSchema,
    Schema,
    Table,
    TableReference,
    check_name,
    etag,
)
from logship_sandbox.bigquery_types import canonical

MAX_CLUSTER_COLUMNS = 4
CLUSTERABLE = ("STRING", "INTEGER", "TIMESTAMP", "DATE", "DATETIME", "BOOLEAN", "NUMERIC", "BYTES")
PARTITIONS = ("DAY", "HOUR", "MONTH", "YEAR")


class Catalog:
    """Datasets and tables by reference."""

    def __init__(self) -> None:
        self._datasets: dict[DatasetReference, Dataset] = {}
        self._tables: dict[TableReference, Table] = {}

    def put_dataset(self, dataset: Dataset) -> None:
        self._datasets[dataset.dataset_reference] = dataset

    def put_table(self, table: Table) -> None:
        self._tables[table.table_reference] = table

    def drop_dataset(self, ref: DatasetReference) -> None:
        del self._datasets[ref]

    def drop_table(self, ref: TableReference) -> None:
        del self._tables[ref]

    def dataset(self, ref: DatasetReference) -> Dataset:
        """The dataset, or ApiError notFound."""
        found = self._datasets.get(ref)
        if found is None:
            raise ApiError("notFound", f"Not found: Dataset {ref}")
        return found

    def table(self, ref: TableReference) -> Table:
        """The table or view, or ApiError notFound."""
        found = self._tables.get(ref)
        if found is None:
            self.dataset(ref.dataset)
            raise ApiError("notFound", f"Not found: Table {ref}")
        return found

    def datasets(self, project: str) -> Iterator[Dataset]:
        """In order of their names."""
        for ref in sorted(self._datasets, key=str):
            if ref.project_id == project:
                yield self._datasets[ref]

    def tables(self, dataset: DatasetReference) -> Iterator[Table]:
        """In order of their names."""
        self.dataset(dataset)
        for ref in sorted(self._tables, key=str):
            if ref.dataset == dataset:
                yield self._tables[ref]

    def new_dataset(self, dataset: Dataset) -> Dataset:
        """The dataset as it will be kept; ApiError when it may not be."""
        ref = dataset.dataset_reference
        check_name("dataset", ref.dataset_id)
        if ref in self._datasets:
            raise ApiError("duplicate", f"Already Exists: Dataset {ref}")
        return stamped_dataset(dataset)

    def new_table(self, table: Table) -> Table:
        """The table as it will be kept; ApiError when it may not be."""
        ref = table.table_reference
        check_name("table", ref.table_id)
        self.dataset(ref.dataset)
        if ref in self._tables:
            raise ApiError("duplicate", f"Already Exists: Table {ref}")
        return stamped_table(checked(table))


def stamped_dataset(dataset: Dataset) -> Dataset:
    """With id, times and etag as of now."""
    now = _now_ms()
    out = msgspec.structs.replace(
        dataset,
        id=str(dataset.dataset_reference),
        creation_time=dataset.creation_time or now,
        last_modified_time=now,
        etag="",
    )
    return msgspec.structs.replace(out, etag=etag(out))


def stamped_table(table: Table) -> Table:
    """With id, kind, times and etag as of now."""
    now = _now_ms()
    out = msgspec.structs.replace(
        table,
        id=str(table.table_reference),
        type="VIEW" if table.view else "TABLE",
        creation_time=table.creation_time or now,
        last_modified_time=now,
        num_rows="",
        num_bytes="",
        etag="",
    )
    return msgspec.structs.replace(out, etag=etag(out))


def checked(table: Table) -> Table:
    """The table with canonical columns; ApiError for partitions or clusters that cannot be."""
    fields = tuple(canonical(field) for field in table.fields)
    table = msgspec.structs.replace(table, schema=Schema(fields))
    by_name: dict[str, FieldSchema] = {}
    for field in fields:
        if field.name.lower() in by_name:
            raise invalid(f"Duplicate field name in the schema: {field.name}")
        by_name[field.name.lower()] = field
    if table.view:
        return table
    if not fields:
        raise invalid(f"The sandbox wants a schema: table {table.table_reference} has no columns.")
    _check_partitions(table, by_name)
    _check_clusters(table, by_name)
    return table


def _check_partitions(table: Table, by_name: dict[str, FieldSchema]) -> None:
    parted = table.time_partitioning
    if parted is None:
        if table.needs_partition_filter:
            raise invalid("require_partition_filter is set on a table that is not partitioned.")
        return
    if parted.type not in PARTITIONS:
        raise invalid(f"Time partitioning type {parted.type!r} is not one of {PARTITIONS}.")
    if parted.field is None:
        raise invalid("The sandbox partitions by a column: set timePartitioning.field.")
    field = by_name.get(parted.field.lower())
    if field is None:
        raise invalid(
            f"The field specified for partitioning cannot be found in the schema: {parted.field}"
        )
    if field.type not in ("TIMESTAMP", "DATE", "DATETIME") or field.mode == "REPEATED":
        raise invalid(
            f"The field specified for partitioning, {field.name}, must be a TIMESTAMP, DATE or "
            f"DATETIME, not {field.mode} {field.type}."
        )


def _check_clusters(table: Table, by_name: dict[str, FieldSchema]) -> None:
    names = table.clustering.fields if table.clustering else ()
    if len(names) > MAX_CLUSTER_COLUMNS:
        raise invalid(f"Too many clustering columns: {len(names)}, at most {MAX_CLUSTER_COLUMNS}.")
    for name in names:
        field = by_name.get(name.lower())
        if field is None:
            raise invalid(f"The field specified for clustering cannot be found: {name}")
        if field.type not in CLUSTERABLE or field.mode == "REPEATED":
            raise invalid(f"Clustering is not supported on {field.mode} {field.type} {name}.")


def changed_columns(
    old: Table, new: Table
) -> tuple[tuple[FieldSchema, ...], tuple[FieldSchema, ...]]:
    """Columns to add and columns to relax to NULLABLE; ApiError for any other change.

    https://cloud.google.com/bigquery/docs/managing-table-schemas
    """
    where = f"Provided Schema does not match Table {old.table_reference}."
    now = {field.name.lower(): field for field in new.fields}
    relaxed = []
    for field in old.fields:
        after = now.pop(field.name.lower(), None)
        if after is None:
            raise invalid(f"{where} Field {field.name} is missing in new schema")
        if after.type != field.type or _shape(after) != _shape(field):
            raise invalid(f"{where} Field {field.name} has changed type")
        if after.mode == field.mode:
            continue
        if (field.mode, after.mode) != ("REQUIRED", "NULLABLE"):
            raise invalid(
                f"{where} Field {field.name} has changed mode from {field.mode} to {after.mode}"
            )
        relaxed.append(after)
    for field in now.values():
        if field.mode == "REQUIRED":
            raise invalid(
                f"{where} Cannot add required fields to an existing schema. ({field.name})"
            )
    return tuple(now.values()), tuple(relaxed)


def _shape(field: FieldSchema) -> tuple[object, ...]:
    return tuple((f.name, f.type, f.mode, _shape(f)) for f in field.fields)


def _now_ms() -> str:
    return str(time.time_ns() // 1_000_000)
