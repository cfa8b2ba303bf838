"""What a configuration names, built: sources, sinks, and routes with their senders.

Nothing starts here. Of what is built already, everything is taken over that was configured in the
same way: the very objects, with their connections, windows, counters and batches in flight. A route
is taken over if its sink and transforms are the same; which rows it takes is a rule beside it, and
whether that touches a binding is told origin by origin (`rebinding`).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from logship.api import Sink, Source, Transform
from logship.build import Builder
from logship.config import Config, RouteConfig, SinkConfig, SourceConfig
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.senders import Senders
from logship.routes.route import BLOCK_BYTES, Route
from logship.routes.routing import RouteRule
from logship.routes.rules import rule_of
from logship.trouble import Trouble
from logship.world import World

_OF_RULES = ("from_", "match", "when", "continue_", "on_unknown", "was", "start_from")
Transforms = list[tuple[str, Transform]]


@dataclass(frozen=True, eq=False, slots=True)
class BuiltSource:
    name: str
    config: SourceConfig
    source: Source
    trouble: Trouble
    log: logging.Logger


@dataclass(frozen=True, eq=False, slots=True)
class BuiltSink:
    config: SinkConfig
    sink: Sink
    trouble: Trouble


@dataclass(frozen=True, eq=False, slots=True)
class BuiltRoute:
    config: RouteConfig
    route: Route
    rule: RouteRule
    sink: BuiltSink
    began_ns: int
    """From when `start_from` counts back."""


@dataclass(frozen=True, eq=False, slots=True)
class Assembly:
    config: Config
    sources: Mapping[str, BuiltSource]
    sinks: Mapping[str, BuiltSink]
    routes: Mapping[str, BuiltRoute]
    """In the order in which they are tried."""
    senders: Senders

    @property
    def routing(self) -> list[tuple[RouteRule, Route]]:
        return [(built.rule, built.route) for built in self.routes.values()]


class Assembler:
    def __init__(self, world: World, logger: logging.Logger, dead_letters: DeadLetters) -> None:
        self._world, self._log, self._dead_letters = world, logger, dead_letters

    def assemble(self, config: Config, before: Assembly | None = None) -> Assembly:
        """Raises Misconfigured. `before` is left as it is."""
        builder = Builder(config, self._world)
        sources = {
            name: self._source(name, own, builder, before.sources.get(name) if before else None)
            for name, own in config.sources.items()
        }
        sinks = {
            name: self._sink(name, own, builder, before.sinks.get(name) if before else None)
            for name, own in config.sinks.items()
        }
        transforms = [
            builder.transforms(number, self._log.getChild(route.name))
            for number, route in enumerate(config.routes)
        ]
        builder.check()
        found = {name: sink for name, sink in sinks.items() if sink}
        kept = _kept(config, found, before)
        senders = Senders(
            config, {name: built.sink for name, built in found.items()}, self._dead_letters,
            self._world.clock, BLOCK_BYTES, before.senders if before else None, kept.keys(),
        )  # fmt: skip
        routes = {
            route.name: self._again(route, kept[route.name])
            if route.name in kept
            else self._route(route, found[route.to], made, senders)
            for route, made in zip(config.routes, transforms, strict=True)
        }
        known = {name: source for name, source in sources.items() if source}
        return Assembly(config, known, found, routes, senders)

    def _source(
        self, name: str, own: SourceConfig, builder: Builder, before: BuiltSource | None
    ) -> BuiltSource | None:
        if before is not None and before.config == own:
            return before
        trouble = Trouble()
        log = trouble.logger(self._log, name)
        source = builder.source(name, log)
        return None if source is None else BuiltSource(name, own, source, trouble, log)

    def _sink(
        self, name: str, own: SinkConfig, builder: Builder, before: BuiltSink | None
    ) -> BuiltSink | None:
        if before is not None and before.config == own:
            return before
        trouble = Trouble()
        sink = builder.sink(name, trouble.logger(self._log, name))
        return None if sink is None else BuiltSink(own, sink, trouble)

    def _again(self, config: RouteConfig, kept: BuiltRoute) -> BuiltRoute:
        return BuiltRoute(config, kept.route, rule_of(config), kept.sink, kept.began_ns)

    def _route(
        self, config: RouteConfig, sink: BuiltSink, transforms: Transforms, senders: Senders
    ) -> BuiltRoute:
        counters, clock = RouteCounters(), self._world.clock
        said = sink.trouble.logger(self._log, config.name)
        budget, sender = senders.make(config.name, config.to, counters, said)
        route = Route(
            config.name, sender, transforms, budget, counters, clock,
            self._log.getChild(config.name),
            block_bytes=min(BLOCK_BYTES, sink.sink.request_bytes),
            rows_wanted=bool(transforms) or not sink.sink.ships_blocks,
        )  # fmt: skip
        if config.shed is not None:
            from logship.routes.shedding import Shedding  # few routes do

            own = getattr(sink.config.options, "severity_keys", ())
            route.shedding = Shedding(route, config.to, config.shed, own)
        return BuiltRoute(config, route, rule_of(config), sink, clock.wall_ns())


def _kept(
    config: Config, sinks: Mapping[str, BuiltSink], before: Assembly | None
) -> dict[str, BuiltRoute]:
    """Routes that go on as they are, whichever rows they take."""
    old = before.routes if before else {}
    return {
        route.name: built
        for route in config.routes
        if (built := old.get(route.name)) is not None
        and _delivers_alike(built.config, route)
        and built.sink is sinks[route.to]
    }


def _delivers_alike(one: RouteConfig, other: RouteConfig) -> bool:
    """Whether they differ only in which rows they take, and from where on."""
    rules = {name: getattr(other, name) for name in _OF_RULES}
    return msgspec.structs.replace(one, **rules) == other
