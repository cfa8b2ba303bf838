"""The REST resources of BigQuery, as far as the sandbox keeps them.

A resource is decoded into these classes and encoded from them, so a property that is not named
here is dropped, and one of a wrong type is a 400 that names it. Numbers are strings, as in Google's
JSON. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables
"""

import hashlib
import re
from typing import TypeVar

import msgspec

from logship_sandbox.bigquery_errors import invalid

T = TypeVar("T")
NOT_KEPT = (
    "rangePartitioning",
    "externalDataConfiguration",
    "materializedView",
    "snapshotDefinition",
)


class Resource(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """Camel case outside, snake case inside; what is not set is not sent."""


class DatasetReference(Resource, frozen=True):
    project_id: str
    dataset_id: str

    def __str__(self) -> str:
        return f"{self.project_id}:{self.dataset_id}"


class TableReference(Resource, frozen=True):
    project_id: str
    dataset_id: str
    table_id: str

    @property
    def dataset(self) -> DatasetReference:
        return DatasetReference(self.project_id, self.dataset_id)

    @property
    def sql_name(self) -> str:
        return f"{self.project_id}.{self.dataset_id}.{self.table_id}"

    def __str__(self) -> str:
        return f"{self.project_id}:{self.dataset_id}.{self.table_id}"


class FieldSchema(Resource, frozen=True):
    """A column. `type` is the legacy name (INTEGER, RECORD), as the service answers."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple["FieldSchema", ...] = ()
    description: str | None = None


class Schema(Resource, frozen=True):
    fields: tuple[FieldSchema, ...] = ()


class TimePartitioning(Resource, frozen=True):
    type: str = "DAY"
    field: str | None = None
    expiration_ms: str | int | None = None
    require_partition_filter: bool | None = None


class Clustering(Resource, frozen=True):
    fields: tuple[str, ...] = ()


class View(Resource, frozen=True):
    query: str
    use_legacy_sql: bool = False


class Dataset(Resource, frozen=True):
    dataset_reference: DatasetReference
    kind: str = "bigquery#dataset"
    id: str = ""
    etag: str = ""
    location: str = "US"
    labels: dict[str, str] = {}
    description: str | None = None
    friendly_name: str | None = None
    default_table_expiration_ms: str | int | None = None
    creation_time: str = ""
    last_modified_time: str = ""


class Table(Resource, frozen=True):
    """A table, or a view when `view` is set."""

    table_reference: TableReference
    kind: str = "bigquery#table"
    id: str = ""
    etag: str = ""
    type: str = "TABLE"
    schema: Schema | None = None
    time_partitioning: TimePartitioning | None = None
    clustering: Clustering | None = None
    require_partition_filter: bool | None = None
    view: View | None = None
    labels: dict[str, str] = {}
    description: str | None = None
    friendly_name: str | None = None
    expiration_time: str | int | None = None
    location: str = "US"
    creation_time: str = ""
    last_modified_time: str = ""
    num_rows: str = ""
    num_bytes: str = ""

    @property
    def fields(self) -> tuple[FieldSchema, ...]:
        return self.schema.fields if self.schema else ()

    @property
    def partition_column(self) -> str | None:
        return self.time_partitioning.field if self.time_partitioning else None

    @property
    def needs_partition_filter(self) -> bool:
        parted = self.time_partitioning
        return bool(self.require_partition_filter or (parted and parted.require_partition_filter))


def decode(kind: type[T], value: object) -> T:
    """A resource from parsed JSON; ApiError "invalid" says what is wrong with it."""
    if isinstance(value, dict):
        for name in NOT_KEPT:
            if value.get(name) is not None:
                raise invalid(f"The sandbox does not support {name}; leave it out.")
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise invalid(f"Invalid {kind.__name__} resource: {error}") from None


def plain(resource: Resource) -> dict[str, object]:
    """A resource as JSON values."""
    value = msgspec.to_builtins(resource)
    assert isinstance(value, dict)
    return value


def merged(resource: Resource, patch: dict[str, object]) -> dict[str, object]:
    """The resource with the patch's properties set, and those that are null taken out."""
    out = plain(resource)
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
            continue
        out[name] = value
    return out


def etag(resource: Resource) -> str:
    """Changes with every property that the client can see change."""
    return hashlib.sha256(msgspec.json.encode(resource)).hexdigest()[:22]


def check_name(kind: str, value: str) -> None:
    """https://cloud.google.com/bigquery/docs/datasets#dataset-naming"""
    pattern = r"[A-Za-z0-9_]{1,1024}" if kind == "dataset" else r"[\w\- ]{1,1024}"
    if not re.fullmatch(pattern, value):
        raise invalid(f'Invalid {kind} ID "{value}". It must match {pattern}.')
