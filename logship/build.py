"""Builds components, and says where in the configuration it went wrong: everything at once."""

from typing import TypeVar

import msgspec

from logship.api import Component, Context
from logship.outcome import ConfigError

C = TypeVar("C", bound=Component)


class Misconfigured(Exception):
    """Problems that components found in their options; their paths are from the top."""

    def __init__(self, problems: list[ConfigError]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class Builder:
    def __init__(self) -> None:
        self._problems: list[ConfigError] = []

    def build(
        self, path: str, component: type[C], options: msgspec.Struct, context: Context
    ) -> C | None:
        """The component; None if it found a problem, which is kept."""
        try:
            return component(options, context)
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
