"""Where this agent runs: options say it, or the metadata server is asked for what is missing."""

from logship.api import ConfigError
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.metadata_server import (
    CLUSTER,
    LOCATION,
    PROJECT,
    ZONE,
    MetadataServer,
    NoMetadataServer,
)


async def find_place(
    config: CloudLoggingConfig, cluster: str, metadata: MetadataServer, version: str
) -> Place:
    """`cluster`: the agent's own option. Raises ConfigError for what nobody knows."""
    project = config.project or await _required(metadata, "project", (PROJECT,))
    location = config.location or await _required(metadata, "location", (LOCATION, ZONE))
    named = config.cluster if config.cluster is not None else cluster or None
    if named is None:
        named = await _optional(metadata, CLUSTER)
    return Place(project, location, named, config.log_id, version)


async def _required(metadata: MetadataServer, option: str, paths: tuple[str, ...]) -> str:
    try:
        for path in paths:
            if value := await metadata.get(path):
                return value.rpartition("/")[2]
    except NoMetadataServer as error:
        reason = f"set `{option}`: it is not in the configuration, and there is {error}"
        raise ConfigError(option, reason) from error
    reason = f"set `{option}`: it is not in the configuration, and the metadata server has none"
    raise ConfigError(option, reason)


async def _optional(metadata: MetadataServer, path: str) -> str:
    try:
        return await metadata.get(path) or ""
    except NoMetadataServer:
        return ""
