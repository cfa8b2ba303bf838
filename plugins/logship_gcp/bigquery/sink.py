"""`bigquery` sink: rows into a partitioned table, through the Storage Write API.

Rows of a write are gathered per table into Arrow columns and appended to the table's default stream
(at least once). BigQuery writes all rows of a request or none: the rows it names are refused, and
the others are sent again at once until they are durable, so that a bad row never holds its
neighbours.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import pyarrow as pa
from msgspec import Meta

from logship.api import (
    DEFAULT_KEYS,
    DELIVERED,
    Batch,
    ConfigError,
    Context,
    Finding,
    Outcome,
    Preview,
    Sink,
)
from logship_gcp.appeals import Appeals
from logship_gcp.bigquery import target
from logship_gcp.bigquery.append import Appender
from logship_gcp.bigquery.extract import MESSAGE_KEYS, TRACE_KEYS, Extractors, Keys
from logship_gcp.bigquery.parcels import gather
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.tables import TableOptions, Tables
from logship_gcp.bigquery.writing import Failed, Failure, Writer, outcome
from logship_gcp.pubsub import channel


class BigQuerySinkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the sink `bigquery`."""

    dataset: Annotated[
        str,
        Meta(
            description="The dataset. May be a template, as `table`.",
            examples=["logs", "team_{label:team}"],
        ),
    ]
    table: Annotated[
        str,
        Meta(
            description="The table. `{namespace}` and other labels, `{label:KEY}` of the pod, and "
            "`{json.PATH}` of the row's JSON object are filled in; characters that a name cannot "
            "have become `_`.",
            examples=["app", "events_{json.event_type}"],
        ),
    ]
    allow: Annotated[
        tuple[str, ...],
        Meta(
            description="Needed with a template: the tables that may be written, as globs of "
            "`table` or `dataset.table`. No other table is ever made.",
            examples=[["events_*"]],
        ),
    ] = ()
    otherwise: Annotated[
        str,
        Meta(
            description="Needed with a template: the table (or `dataset.table`) for all rows "
            "whose table is not allowed, or whose values are missing."
        ),
    ] = ""
    project: Annotated[
        str, Meta(description="The dataset's project. Empty: that of the default credentials.")
    ] = ""
    create: Annotated[
        bool,
        Meta(
            description="Whether missing datasets, tables and views are made. A table is "
            "partitioned by the day of `timestamp`, clustered by namespace, container, severity."
        ),
    ] = True
    view: Annotated[
        bool,
        Meta(description="Whether a view `<table>_dedup` is made that shows every row once."),
    ] = True
    partition_expiration_days: Annotated[
        float, Meta(ge=0, description="Of tables that are made; 0 keeps rows for ever.")
    ] = 0
    require_partition_filter: Annotated[
        bool,
        Meta(description="Of tables that are made: whether a query must say which days it reads."),
    ] = False
    location: Annotated[
        str,
        Meta(description="Of datasets that are made.", examples=["EU", "asia-northeast1"]),
    ] = ""
    severity_keys: Annotated[
        tuple[str, ...],
        Meta(description="The keys of a JSON object that may hold its severity, the first first."),
    ] = DEFAULT_KEYS
    message_keys: Annotated[
        tuple[str, ...], Meta(description="The keys that may hold its message.")
    ] = MESSAGE_KEYS
    trace_keys: Annotated[
        tuple[str, ...], Meta(description="The keys that may hold its trace.")
    ] = TRACE_KEYS
    endpoint: Annotated[
        str,
        Meta(
            description="Where BigQuery's REST API is; used when something is to be made. Empty: "
            "at Google. Loopback and `http://` mean no credentials.",
            examples=["http://127.0.0.1:9050"],
        ),
    ] = ""
    grpc_endpoint: Annotated[
        str,
        Meta(
            description="Where the Storage Write API is. Loopback and `http://` mean plain text "
            "without credentials.",
            examples=["127.0.0.1:9060"],
        ),
    ] = "bigquerystorage.googleapis.com"
    request_timeout_secs: Annotated[
        float, Meta(gt=0, le=600, description="How long one call may take.")
    ] = 60.0


class BigQuerySink(Sink):
    """Writes rows to BigQuery tables, through the Storage Write API."""

    config = BigQuerySinkConfig
    request_bytes = 2 * 1024 * 1024  # JSON needs more than twice its size; a request takes 9 MB

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, BigQuerySinkConfig)
        self._path = f"sinks.{context.name}"
        target.check(self._path, config.dataset, config.table, config.allow, config.otherwise)
        self._config = config
        self._grpc = channel.Endpoint.parse(config.grpc_endpoint)
        self._anonymous = bool(config.endpoint) and channel.Endpoint.parse(config.endpoint).plain
        if self._grpc.plain and not config.project:
            reason = "needed: an endpoint without credentials names no project"
            raise ConfigError(f"{self._path}.project", reason)
        keys = Keys(config.severity_keys, config.message_keys, trace=config.trace_keys)
        self._extractors = Extractors(keys)
        self._tables: Tables | None = None

    async def start(self) -> None:
        # Arrow's own allocator keeps what malloc, which we have told what to keep, could use.
        pa.set_memory_pool(pa.system_memory_pool())
        config, world = self._config, self.context.world
        self._link = await channel.Link.open(self._grpc, world, self._path)
        project = config.project or await channel.default_project(world, self._path)
        self._project, self._targets = project, self._tables_of(project)
        appeals = Appeals(self.context)
        self._appender = Appender(self._link, config.request_timeout_secs)
        self._writer = Writer(self._appender, self._make if config.create else None, appeals)
        if config.create:
            options = TableOptions(
                config.location,
                config.partition_expiration_days,
                config.require_partition_filter,
                config.view,
                config.request_timeout_secs,
            )
            self._tables = await world.offload.run(
                Tables, project, config.endpoint, self._anonymous, options
            )

    def _tables_of(self, project: str) -> target.Targets:
        config = self._config
        return target.Targets(project, config.dataset, config.table, config.allow, config.otherwise)

    async def check_live(self) -> Sequence[Finding]:
        from logship_gcp.bigquery.live import check_live

        return await check_live(self._config, self._grpc, self._anonymous, self.context.world)

    def preview(self, batch: Batch) -> Sequence[Preview]:
        from logship_gcp.bigquery.preview import previews

        targets = self._tables_of(self._config.project or "PROJECT")
        return previews(
            batch, targets, self._extractors.of(batch), self.context.world.clock.wall_ns()
        )

    async def read_back(self, batches: Sequence[Batch]) -> Mapping[str, int]:
        from logship_gcp.bigquery.reading import read_back

        config, run = self._config, self.context.world.offload.run
        where = self._project, config.endpoint, self._anonymous
        return await run(read_back, batches, self._targets, *where)

    async def _make(self, table: TableName) -> None:
        assert self._tables is not None
        await self.context.world.offload.run(self._tables.make, table)

    async def close(self) -> None:
        await self._appender.close()
        await self._link.close()
        if self._tables is not None:
            self._tables.close()

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        now_ns = self.context.world.clock.wall_ns()
        parcels, refused = await gather(batches, self._targets, self._extractors, now_ns)
        parts = await asyncio.gather(*(self._writer.write(parcel) for parcel in parcels))
        failures: list[Failure] = [*refused, *(failure for part in parts for failure in part)]
        if not failures:
            return DELIVERED
        first = failures[0]
        sent = sum(len(parcel.rows) for parcel in parcels)
        again = sum(len(f.parcel.rows) for f in failures if isinstance(f, Failed))
        if isinstance(first, Failed) and again == sent and not refused:
            raise first.retry
        return outcome(failures)
