"""All that `logship check --live` asks for the sink `bigquery`."""

from typing import Protocol

from logship.api import ConfigError, Finding, World
from logship_gcp.bigquery.checking import Checks, Wanted, check_stream, tables_of
from logship_gcp.identity import identify
from logship_gcp.pubsub.channel import Endpoint, default_project


class Options(Protocol):
    """Of `BigQuerySinkConfig`."""

    @property
    def dataset(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def allow(self) -> tuple[str, ...]: ...
    @property
    def otherwise(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def create(self) -> bool: ...
    @property
    def endpoint(self) -> str: ...


async def check_live(
    options: Options, grpc: Endpoint, anonymous: bool, world: World
) -> list[Finding]:
    identity = await identify(world, anonymous=anonymous)
    if identity.authorization is None:
        return [identity.finding]
    try:
        project = options.project or await default_project(world, "")
    except ConfigError as error:
        return [identity.finding, Finding("`project`", "failed", error.reason)]
    tables = tables_of(project, options.dataset, options.table, options.allow, options.otherwise)
    wanted = Wanted(project, list(tables), options.create, options.endpoint, anonymous, grpc)
    checks = await world.offload.run(Checks, wanted, identity)
    try:
        found = await world.offload.run(checks.tables)
    finally:
        checks.close()
    return [identity.finding, *found, *await check_stream(wanted, identity)]
