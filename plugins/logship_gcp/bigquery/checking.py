"""Whether BigQuery's tables are there and let the loader write, by calls that change nothing.

The tables that can be named without a row: that of a configuration without a template, `otherwise`,
and those of `allow` that are no globs. Google's REST client is used, in a thread.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound, Unauthorized
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from logship.api import Finding, Retry
from logship_gcp import grants
from logship_gcp.bigquery.schema import COLUMNS, TableName
from logship_gcp.bigquery.target import Template
from logship_gcp.identity import Identity
from logship_gcp.pubsub import wire
from logship_gcp.pubsub.channel import Endpoint, Link

_TIMEOUT_SECS = 15.0
_SAID_CHARS = 500
_GET_STREAM = "/google.cloud.bigquery.storage.v1.BigQueryWrite/GetWriteStream"
_WRITE, _EDITOR = "bigquery.tables.updateData", "roles/bigquery.dataEditor"
_TROUBLE = (GoogleAPICallError, GoogleAuthError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the sink's options counts here."""

    project: str
    tables: Sequence[TableName]
    create: bool
    endpoint: str
    anonymous: bool
    grpc: Endpoint


def tables_of(
    project: str, dataset: str, table: str, allow: Sequence[str], otherwise: str
) -> Iterator[TableName]:
    """Those whose names do not depend on rows."""
    if not Template(dataset).places:
        if not Template(table).places:
            yield TableName(project, dataset, table)
        for glob in allow:
            if not set("*?[.") & set(glob):
                yield TableName(project, dataset, glob)
    own, _, name = otherwise.rpartition(".")
    if otherwise and Template(dataset + table).places:
        yield TableName(project, own or dataset, name)


class Checks:
    def __init__(self, wanted: Wanted, identity: Identity) -> None:
        """Blocks, while it looks for credentials."""
        self._wanted, self._identity = wanted, identity
        self._client: Any = bigquery.Client(
            project=wanted.project,
            credentials=AnonymousCredentials() if wanted.anonymous else None,  # type: ignore[no-untyped-call]
            client_options={"api_endpoint": wanted.endpoint} if wanted.endpoint else None,
        )

    def close(self) -> None:
        self._client.close()

    def tables(self) -> list[Finding]:
        """Blocks."""
        found = [finding for table in self._wanted.tables for finding in self._table(table)]
        return [*found, self._queries()]

    def _table(self, table: TableName) -> list[Finding]:
        about = f"table {table}"
        try:
            seen = self._client.get_table(str(table), retry=None, timeout=_TIMEOUT_SECS)
            granted = self._client.test_iam_permissions(
                str(table), [_WRITE], retry=None, timeout=_TIMEOUT_SECS
            )
        except NotFound:
            return [self._missing(about, table)]
        except _TROUBLE as error:
            return [self._failed(about, table, error)]
        lacking = [c.name for c in COLUMNS if c.name not in {field.name for field in seen.schema}]
        if lacking:
            reason = f"it lacks the columns {', '.join(lacking)}"
            return [Finding(about, "failed", reason, "add them (docs/migrate.md, The table)")]
        if _WRITE not in granted.get("permissions", ()):
            return [Finding(about, "failed", "writing is not allowed", self._grant(table))]
        return [Finding(about, "ok", "writing is allowed")]

    def _grant(self, table: TableName) -> str:
        return grants.dataset_role(table.project, table.dataset, self._identity.member, _EDITOR)

    def _missing(self, about: str, table: TableName) -> Finding:
        if not self._wanted.create:
            reason = "it does not exist, and `create` is false"
            return Finding(
                about, "failed", reason, "make it (docs/migrate.md), or set create: true"
            )
        try:
            dataset = f"{table.project}.{table.dataset}"
            self._client.get_dataset(dataset, retry=None, timeout=_TIMEOUT_SECS)
        except NotFound:
            member, role = self._identity.member, "roles/bigquery.user"
            reason = "neither it nor its dataset exists yet: both will be made, if that is allowed"
            make = grants.create_dataset(table.project, table.dataset)
            grant = grants.project_role(table.project, member, role)
            return Finding(about, "warning", reason, f"{grant}\nor make the dataset: {make}")
        except _TROUBLE as error:
            return self._failed(about, table, error)
        reason = "it does not exist yet: it will be made, if that is allowed"
        return Finding(about, "warning", reason, self._grant(table))

    def _failed(self, about: str, table: TableName, error: Exception) -> Finding:
        message = said(error)
        if isinstance(error, Forbidden) and grants.is_disabled(message):
            advice = grants.enable("bigquery.googleapis.com", table.project)
        elif isinstance(error, Forbidden):
            advice = self._grant(table)
        elif isinstance(error, Unauthorized):
            advice = "the credentials are not accepted: is the account disabled?"
        elif isinstance(error, GoogleAPICallError):
            advice = "check `project` and `endpoint`"
        else:
            where = self._wanted.endpoint or "bigquery.googleapis.com"
            advice = f"does this machine reach {where} (DNS, firewall, NetworkPolicy, proxy)?"
        return Finding(about, "failed", message, advice)

    def _queries(self) -> Finding:
        about = f"query jobs in project {self._wanted.project}"
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False)
        try:
            self._client.query("SELECT 1", job_config=config, retry=None, timeout=_TIMEOUT_SECS)
        except _TROUBLE as error:
            reason = f"only queries and --roundtrip need them: {said(error)}"
            project, member = self._wanted.project, self._identity.member
            advice = grants.project_role(project, member, "roles/bigquery.jobUser")
            return Finding(about, "warning", reason, advice)
        return Finding(about, "ok", "allowed")


def said(error: Exception) -> str:
    """What Google says, without the address that was called."""
    if isinstance(error, GoogleAPICallError):
        told = [str(each.get("message", "")) for each in error.errors if isinstance(each, dict)]
        message = next(filter(None, told), str(error.message))
        return f"HTTP {error.code}: {message.partition(chr(10))[0]}"[:_SAID_CHARS]
    return f"{type(error).__name__}: {error}"[:_SAID_CHARS]


async def check_stream(wanted: Wanted, identity: Identity) -> list[Finding]:
    """Whether the Storage Write API answers, where there is a table to ask about."""
    about = f"Storage Write API at {wanted.grpc.target}"
    assert identity.authorization is not None
    link = Link.over(wanted.grpc, identity.authorization)
    try:
        for table in wanted.tables[:1]:
            metadata = await link.metadata("name", table.stream)
            call: Any = link.channel.unary_unary(_GET_STREAM, None, None)
            name = wire.field(1, table.stream.encode())
            await call(name, timeout=_TIMEOUT_SECS, metadata=metadata)
    except Retry as retry:
        return [Finding(about, "failed", retry.reason)]
    except grpc.aio.AioRpcError as error:
        return _answered(about, wanted, error)
    finally:
        await link.close()
    return [Finding(about, "ok", "it answers")]


def _answered(about: str, wanted: Wanted, error: grpc.aio.AioRpcError) -> list[Finding]:
    code, reason = error.code(), f"{error.code().name}: {error.details() or ''}"
    if code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED):
        return [Finding(about, "ok", "it answers")]  # the table's own line says the rest
    advice = f"does this machine reach {wanted.grpc.target} (DNS, firewall, NetworkPolicy, proxy)?"
    if code is grpc.StatusCode.UNAUTHENTICATED:
        advice = "the credentials are not accepted: is the account disabled, or the clock wrong?"
    return [Finding(about, "failed", reason, advice)]
