"""`bigquery` sink: rows into a partitioned table, through the Storage Write API.

Rows of a write are gathered per table into Arrow columns and appended to the table's default stream
(at least once). BigQuery writes all rows of a request or none: the rows it names are refused, and
the others are sent again at once until they are durable, so that a bad row never holds its
neighbours.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from logship.api import DELIVERED, Batch, ConfigError, Context, Outcome, Sink
from logship_gcp.bigquery import target
from logship_gcp.bigquery.append import Appender
from logship_gcp.bigquery.extract import MESSAGE_KEYS, Extractor, Keys
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.tables import TableOptions, Tables
from logship_gcp.bigquery.writing import Failed, Parcel, Writer, gather, outcome
from logship_gcp.pubsub import channel

if TYPE_CHECKING:
    from google.auth.credentials import Credentials


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
    message_keys: Annotated[
        tuple[str, ...],
        Meta(description="The keys of a JSON object that may hold its message, the first first."),
    ] = MESSAGE_KEYS
    endpoint: Annotated[
        str,
        Meta(
            description="Where the Storage Write API is. Loopback and `http://` mean plain text "
            "without credentials."
        ),
    ] = "bigquerystorage.googleapis.com"
    rest_endpoint: Annotated[
        str, Meta(description="Where BigQuery's REST API is. Empty: at Google.")
    ] = ""
    request_timeout_secs: Annotated[
        float, Meta(gt=0, le=600, description="How long one call may take.")
    ] = 60.0
