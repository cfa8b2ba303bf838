"""All components of a configuration, built and not started: for commands that run no pipeline."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logship.api import Component, Sink, Source, Transform
from logship.build import Builder
from logship.config import Config
from logship.routes.routing import RouteRule
from logship.routes.rules import rule_of
from logship.world import World


@dataclass(frozen=True, slots=True)
class Parts:
    sources: Mapping[str, Source]
    sinks: Mapping[str, Sink]
    rules: Sequence[RouteRule]
    transforms: Mapping[str, Sequence[tuple[str, Transform]]]
    """By route, each with its type."""
    targets: Mapping[str, str]
    """By route, its sink."""

    def components(self) -> Iterator[tuple[str, Component]]:
        """Each with what people call it."""
        yield from ((f"source {name}", source) for name, source in self.sources.items())
        for route, transforms in self.transforms.items():
            yield from ((f"{name} of route {route}", made) for name, made in transforms)
        yield from ((f"sink {name}", sink) for name, sink in self.sinks.items())


def build(config: Config, world: World, log: logging.Logger) -> Parts:
    """No I/O. Raises Misconfigured."""
    builder = Builder(config, world)
    sources = {name: builder.source(name, log.getChild(name)) for name in config.sources}
    sinks = {name: builder.sink(name, log.getChild(name)) for name in config.sinks}
    transforms = {
        route.name: builder.transforms(number, log.getChild(route.name))
        for number, route in enumerate(config.routes)
    }
    builder.check()
    return Parts(
        {name: source for name, source in sources.items() if source},
        {name: sink for name, sink in sinks.items() if sink},
        list(map(rule_of, config.routes)),
        transforms,
        {route.name: route.to for route in config.routes},
    )
