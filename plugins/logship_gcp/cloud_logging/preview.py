"""Entries as Cloud Logging would understand them, read back from the requests that would be sent.

What a request says for all of its entries is put into each. Where only the metadata server knows
where the agent runs, PROJECT, LOCATION and CLUSTER stand in.
"""

import importlib.metadata
from collections.abc import Iterator, Sequence

import orjson

from logship.api import Preview
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.requests import Request


def made_up_place(config: CloudLoggingConfig, cluster: str) -> Place:
    """`cluster`: the agent's own option."""
    named = config.cluster if config.cluster is not None else cluster or "CLUSTER"
    version = importlib.metadata.version("logship") if config.version_label else ""
    project, location = config.project or "PROJECT", config.location or "LOCATION"
    return Place(project, location, named, config.log_id, version)


def previews(requests: Sequence[Request]) -> list[Preview]:
    found = [preview for request in requests for preview in _previews(request)]
    return sorted(found, key=lambda preview: preview.row)


def _previews(request: Request) -> Iterator[Preview]:
    body = orjson.loads(request.body())
    shared = {name: body[name] for name in ("logName", "resource") if name in body}
    for number, entry in enumerate(body["entries"]):
        labels = {**body.get("labels", {}), **entry.get("labels", {})}
        sent = {**shared, **entry, **({"labels": labels} if labels else {})}
        yield Preview(request.row(number)[1], sent, sent.get("severity", "DEFAULT"), labels)
