"""Every route that a test makes has to account for each row it read: checked when the test ends.

Whatever a test does (kill, release, refuse, cut off in the middle of a write), the equation of
`logship.counters` holds at any moment, and a route that holds no memory holds no rows.
"""

from typing import Any

from logship.counters import RouteCounters
from logship.delivery.limits import Budget
from logship.routes.route import Route

_made: list[tuple[str, RouteCounters, Budget]] = []
_init = Route.__init__


def _remember(route: Route, *args: Any, **kwargs: Any) -> None:
    _init(route, *args, **kwargs)
    _made.append((route.name, route.counters, route.budget))


def watch() -> None:
    """From now on."""
    Route.__init__ = _remember  # type: ignore[method-assign]


def begin() -> None:
    _made.clear()


def check() -> None:
    """Raises AssertionError for a route of this test with rows that are nowhere, or twice."""
    for name, counters, budget in _made:
        assert not counters.unaccounted, (
            f"route {name}: {counters.unaccounted} rows unaccounted for: {counters.as_dict()}"
        )
        assert counters.held_rows >= 0, f"route {name}: {counters.as_dict()}"
        assert not (budget.empty and counters.held_rows), (
            f"route {name} holds no memory but {counters.held_rows} rows: {counters.as_dict()}"
        )
