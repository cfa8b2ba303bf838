"""Batches as the engine makes them, and entries as Cloud Logging would keep them."""

import asyncio
import logging
import zlib
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.frames import Place
from logship_gcp.cloud_logging.requests import Request
from logship_gcp.cloud_logging.sink import BatchEncoder

from logship.api import (
    Batch,
    Clock,
    Context,
    Cutting,
    Disk,
    Generation,
    Labels,
    Offload,
    Origin,
    Span,
    World,
)

T = TypeVar("T")
TIME = "2026-11-23T10:00:00.123456789Z"
FIRST_NS = 1_795_428_000 * 10**9  # 2026-11-23T10:00:00Z
LABELS = {
    "source": "containers",
    "cluster": "c-1",
    "namespace": "shop",
    "pod": "cart-7d9f-x2x5z",
    "container": "server",
    "node": "node-1",
    "label:app": "cart",
}


def make_batch(
    block: bytes,
    labels: Mapping[str, str] = LABELS,
    *,
    key: str = "c-1/uid/server/0",
    cutting: Cutting | None = None,
    extra: Mapping[str, str] | None = None,
    start: int = 1000,
) -> Batch:
    generation = Generation(FIRST_NS, zlib.crc32(key.encode()))
    return Batch(
        origin=Origin(key, Labels(labels)),
        labels=Labels(labels),
        pieces=(Span(generation, start, start + len(block)),),
        block=block,
        cutting=cutting or Cutting(),
        mtime_ns=FIRST_NS + 300 * 10**9 + 7,
        extra=extra or {},
    )


def cri(*texts: str, stream: str = "stdout", time: str = TIME) -> bytes:
    return "".join(f"{time} {stream} F {text}\n" for text in texts).encode()


def make_encoder(**options: Any) -> BatchEncoder:
    config = CloudLoggingConfig(**{"version_label": False, **options})
    cluster = "c-1" if config.cluster is None else config.cluster
    version = "VERSION" if config.version_label else ""
    return BatchEncoder(config, Place("p-1", "europe-west1", cluster, config.log_id, version))


def kept_entries(request: Request) -> list[dict[str, Any]]:
    """The entries of a request with its defaults merged in (logging.proto)."""
    body = orjson.loads(request.body())
    assert body["partialSuccess"] is True
    shared = {key: body[key] for key in ("logName", "resource") if key in body}
    return [
        {**shared, **entry, "labels": {**body.get("labels", {}), **entry.get("labels", {})}}
        for entry in body["entries"]
    ]


def make_context(name: str = "gcl") -> Context:
    offload = Offload(2)
    return Context(name, World(Clock(), Disk(offload), offload), logging.getLogger(name))


def run_bounded(coroutine: Coroutine[Any, Any, T], secs: float = 20) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(coroutine, secs)

    return asyncio.run(bounded())


def rows_of(outcome_rows: Sequence[Any]) -> list[tuple[int, int]]:
    return sorted((item.batch, item.row) for item in outcome_rows)
