"""The configuration file: YAML text in, `Config` or every problem with its place out.

`load(text, file=..., env=..., registry=...)` is the entry. The classes in `schema` are the options
and their documentation; `reference` renders them. Nothing here reads files, time or environment.
"""

from logship.config.holding import DeadLettersConfig, HeldConfig, MemoryConfig
from logship.config.loading import Examined, examine, load, problem_at
from logship.config.problems import ConfigErrors, Problem, Report, render
from logship.config.schema import (
    DEFAULT_STATE_DIR,
    AdminConfig,
    ComponentConfig,
    Config,
    RouteConfig,
    SinkConfig,
    SourceConfig,
    TransformConfig,
)
from logship.routes.match import Match
from logship.routes.when import Condition

__all__ = [
    "DEFAULT_STATE_DIR",
    "AdminConfig",
    "ComponentConfig",
    "Condition",
    "Config",
    "ConfigErrors",
    "DeadLettersConfig",
    "Examined",
    "HeldConfig",
    "Match",
    "MemoryConfig",
    "Problem",
    "Report",
    "RouteConfig",
    "SinkConfig",
    "SourceConfig",
    "TransformConfig",
    "examine",
    "load",
    "problem_at",
    "render",
]
