"""Builds components, and says where in the configuration it went wrong: everything at once."""

import logging
from typing import TypeVar

from logship.api import Component, Context, Sink, Source, Transform
from logship.config import ComponentConfig, Config
from logship.outcome import ConfigError
from logship.world import World

C = TypeVar("C", bound=Component)


class Misconfigured(Exception):
    """Problems that components found in their options; their paths are from the top."""

    def __init__(self, problems: list[ConfigError]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class Builder:
    """Of one configuration. What a component finds wrong is kept; in its place there is None."""

    def __init__(self, config: Config, world: World) -> None:
        self._config, self._world = config, world
        self._problems: list[ConfigError] = []

    def source(self, name: str, log: logging.Logger) -> Source | None:
        own = self._config.sources[name]
        return self._build(f"sources.{name}", own, self._context(name, log))

    def sink(self, name: str, log: logging.Logger) -> Sink | None:
        own = self._config.sinks[name]
        return self._build(f"sinks.{name}", own, self._context(name, log))

    def transforms(self, number: int, log: logging.Logger) -> list[tuple[str, Transform]]:
        """Of the route of this number, each with its type; less those with a problem."""
        route = self._config.routes[number]
        context, found = self._context(route.name, log), []
        for place, own in enumerate(route.transforms):
            made = self._build(f"routes[{number}].transforms[{place}]", own, context)
            if made is not None:
                found.append((own.type_name, made))
        return found

    def _context(self, name: str, log: logging.Logger) -> Context:
        config = self._config
        return Context(name, self._world, log, config.cluster, config.node, config.state_dir)

    def _build(self, path: str, config: ComponentConfig[C], context: Context) -> C | None:
        try:
            return config.component(config.options, context)
        except ConfigError as error:
            self._problems.append(at(path, error))
            return None

    def check(self) -> None:
        """Raises Misconfigured if any component found a problem."""
        if self._problems:
            raise Misconfigured(self._problems)


def at(path: str, error: ConfigError) -> ConfigError:
    """The error, with its path seen from the top of the configuration.

    A component names its own option (`topic`); one that names the whole path already is believed.
    """
    if not error.path or error.path.startswith(path):
        return ConfigError(error.path or path, error.reason)
    return ConfigError(f"{path}.{error.path}", error.reason)
