"""Routes that those above them leave nothing to, and how a pod may come there all the same. Pure.

Only what is certain counts: a route above that takes whatever this one could. A pod can ask for a
route by its name (`routing.beginning_with`): then trying begins there, so those above are passed
over. That goes for routes of sources whose origins can ask, and where no `match` takes the name for
a word of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logship.config.schema import RouteConfig, SourceConfig
from logship.routes.routing import ROUTE

ANNOTATION = ROUTE.removeprefix("annotation:")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A route that gets nothing by being tried from the top."""

    blockers: Sequence[str]
    """The routes above that take all of it."""
    by_name: str
    """What a pod can ask for to come there; empty: it never can."""


def hidden(
    index: int, routes: Sequence[RouteConfig], sources: Mapping[str, SourceConfig]
) -> Hidden | None:
    """None: it can get a row as it stands."""
    blockers: dict[int, str] = {}
    names: list[str] = []
    for source in routes[index].from_:
        above = [i for i in range(index) if _covers(routes[i], routes[index], source)]
        if not above:
            return None
        blockers[above[0]] = routes[above[0]].name
        if _heeded(sources[source]):
            names += _askable(index, above[-1], routes, source)
    return Hidden([blockers[i] for i in sorted(blockers)], next(iter(names), ""))


def _covers(earlier: RouteConfig, route: RouteConfig, source: str) -> bool:
    if earlier.continue_ or source not in earlier.from_:
        return False
    takes_rows = earlier.when is None or earlier.when == route.when
    return takes_rows and _takes_origins(earlier, route)


def _takes_origins(earlier: RouteConfig, route: RouteConfig) -> bool:
    if earlier.match is None:
        return True
    left_over = earlier.match.needs_metadata and earlier.on_unknown == "skip"
    return earlier.match == route.match and not (left_over and route.on_unknown == "route")


def _heeded(source: SourceConfig) -> bool:
    return source.component.heeds_wishes(source.options)


def _askable(index: int, blocker: int, routes: Sequence[RouteConfig], source: str) -> Iterator[str]:
    """Names of routes below the blocker from which on trying comes to this one."""
    matches = [r.match for r in routes if source in r.from_ and r.match is not None]
    for place in range(index, blocker, -1):
        route = routes[place]
        if source not in route.from_ or any(m.names(ROUTE, route.name) for m in matches):
            continue
        wants_another = route.match is not None and ANNOTATION in route.match.annotations
        goes_on = place == index or route.continue_ or route.when is not None
        if goes_on and not wants_another:
            yield route.name
