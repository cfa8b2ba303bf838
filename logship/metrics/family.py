"""What a metric is: a name, what it means, and where its values come from. Values only.

A definition is the whole of it: docs/metrics.md is made of the names and texts, the answer to a
scrape of what `values` gives. Names follow Prometheus' rules (base units, `_total` for what only
grows, https://prometheus.io/docs/practices/naming/). The values of a label are bounded, by the
configuration or by a list in the code; a pod is never one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from logship.metrics.histogram import Histogram

if TYPE_CHECKING:
    from logship.pipeline import Pipeline
    from logship.routes.lag import RouteLag
    from logship.routes.route import Route

Kind = Literal["counter", "gauge", "histogram"]
Label = Literal[
    "route", "sink", "namespace", "reason", "result", "rule", "version", "python", "kernel"
]  # fmt: skip
Value: TypeAlias = float | Histogram | None
"""None: there is none now."""
Samples: TypeAlias = Iterable[tuple[tuple[str, ...], Value]]
"""The values of the labels, in the order of their names, and the value."""

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Family(Generic[S]):
    """One metric; `S` is what it is asked of."""

    name: str
    kind: Kind
    labels: tuple[Label, ...]
    help: str
    values: Callable[[S], Samples]


@dataclass(frozen=True, slots=True)
class RouteNow:
    """A route, its sink, and how far behind it is now."""

    route: "Route"
    sink: str
    lag: "RouteLag"
    now_ns: int


@dataclass(frozen=True, slots=True)
class AgentNow:
    pipeline: "Pipeline"
    lags: Mapping[str, "RouteLag"]
    """By route."""
    now_ns: int

    def routes(self) -> Iterator[RouteNow]:
        for name, built in self.pipeline.assembly.routes.items():
            lag = self.lags.get(name)
            if lag is not None:  # else it is newer than the lags
                yield RouteNow(built.route, built.config.to, lag, self.now_ns)
