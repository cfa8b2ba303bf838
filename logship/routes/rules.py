"""What the configuration of a route says about which rows it takes."""

from logship.config import RouteConfig
from logship.routes.routing import RouteRule


def rule_of(config: RouteConfig) -> RouteRule:
    return RouteRule(
        config.name, frozenset(config.from_), config.match, config.when, config.continue_,
        config.on_unknown, config.was,
    )  # fmt: skip
