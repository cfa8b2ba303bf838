"""Builds components, and says where in the configuration it went wrong."""

from typing import TypeVar

import msgspec

from logship.api import Component, Context
from logship.outcome import ConfigError

C = TypeVar("C", bound=Component)


def build(path: str, component: type[C], options: msgspec.Struct, context: Context) -> C:
    """The component. Raises ConfigError with the whole path."""
    try:
        return component(options, context)
    except ConfigError as error:
        raise at(path, error) from error


def at(path: str, error: ConfigError) -> ConfigError:
    """The error, with its path seen from the top of the configuration.

    A component names its own option (`topic`); one that names the whole path already is believed.
    """
    if not error.path or error.path.startswith(path):
        return ConfigError(error.path or path, error.reason)
    return ConfigError(f"{path}.{error.path}", error.reason)
