"""Fake components with the shapes of options that real ones have, in a registry of their own."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from logship.api import ConfigError, Sink, Source, Transform
from logship.config import Examined, examine
from logship.registry import Registry
from logship.units import Bytes, Secs, StartFrom


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class PodsOptions(Options, frozen=True, kw_only=True):
    start_from: Annotated[StartFrom, Meta(description="Where to start.")] = 600.0
    join: Annotated[list[Literal["exceptions"]], Meta(description="What is joined.")] = []
    poll_secs: Annotated[Secs, Meta(gt=0, description="How often to look.")] = 1.0


class Pods(Source):
    """Container logs of the pods of this node.

    Found by their paths.
    """

    config = PodsOptions


class CloudOptions(Options, frozen=True, kw_only=True):
    project: Annotated[str | None, Meta(description="Project.")] = None
    severity_keys: Annotated[tuple[str, ...], Meta(description="Where to look.")] = ("severity",)
    max_request_bytes: Annotated[Bytes, Meta(ge=1, le=10_000_000, description="Bound.")] = 9_000_000
    max_in_flight: Annotated[int, Meta(ge=1, description="Requests at once.")] = 8
    gzip: Annotated[bool, Meta(description="Compress.")] = False
    ratio: Annotated[float, Meta(ge=0, le=1, description="A part.")] = 0.5
    static: Annotated[dict[str, str], Meta(description="Labels for all.")] = {}


class Cloud(Sink):
    """Cloud Logging."""

    config = CloudOptions


class TopicOptions(Options, frozen=True, kw_only=True):
    topic: Annotated[str, Meta(description="The topic.", examples=["app-logs"])]
    format: Annotated[Literal["record", "block"], Meta(description="What a message is.")] = "record"

    def __post_init__(self) -> None:
        if "/" in self.topic:
            raise ValueError(f"{self.topic} is a path; write the topic's last part")


class Topic(Sink):
    """Pub/Sub."""

    config = TopicOptions


class Rule(Options, frozen=True, kw_only=True):
    pattern: Annotated[str, Meta(description="A regular expression.")]
    keep: Annotated[bool, Meta(description="Keep or drop.")] = True

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ConfigError("pattern", f"{self.pattern!r} is no pattern: {error}") from None


class GrepOptions(Options, frozen=True, kw_only=True):
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=3, description="Rules.")]
    free: Annotated[Any, Meta(description="Anything.")] = None


class Grep(Transform):
    """Keeps or drops rows."""

    config = GrepOptions


@pytest.fixture(scope="session")
def registry() -> Registry:
    registry = Registry()
    registry.add("kubernetes", Pods)
    registry.add("cloud_logging", Cloud)
    registry.add("pubsub", Topic)
    registry.add("grep", Grep)
    return registry


@pytest.fixture
def good() -> str:
    return GOOD


GOOD = """\
sources:
  containers: {type: kubernetes, start_from: 10m, join: [exceptions]}
routes:
  - name: app-by-annotation
    from: [containers]
    match: {annotations: {logship/route: app}}
    to: app_events
  - name: app-by-field
    from: [containers]
    when: {json.log_type: app}
    to: app_events
  - name: rest
    from: [containers]
    match: {not: {namespace: [kube-system, gke-managed-*]}}
    to: gcl
sinks:
  gcl: {type: cloud_logging, severity_keys: [severity, level]}
  app_events: {type: pubsub, topic: app-logs, format: block}
"""

Look = Callable[..., Examined]


@pytest.fixture
def look(registry: Registry) -> Look:
    def examined(text: str, env: Mapping[str, str] | None = None) -> Examined:
        return examine(text, file="logship.yaml", env=env or {}, registry=registry)

    return examined
