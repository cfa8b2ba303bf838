"""Prometheus' text format 0.0.4, and what the agent says in it.

https://prometheus.io/docs/instrumenting/exposition_formats/ : a HELP and a TYPE line for each
metric, its samples together, backslash, newline and (in labels) quote escaped. Values with None
have no line.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from logship.metrics.family import AgentNow, Family, S, Value
from logship.metrics.histogram import Histogram
from logship.metrics.of_agent import OF_AGENT
from logship.metrics.of_routes import OF_ROUTES

if TYPE_CHECKING:
    from logship.pipeline import Pipeline

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


async def metrics(pipeline: "Pipeline") -> str:
    """All of it. It reads some bytes of each log that has something unread."""
    lags = {route.name: await route.lag(pipeline.world) for route in pipeline.routes}
    now = AgentNow(pipeline, lags, pipeline.world.clock.wall_ns())
    return render(now)


def render(now: AgentNow) -> str:
    routes = list(now.routes())
    lines = [line for family in OF_AGENT for line in lines_of(family, [now])]
    lines += [line for family in OF_ROUTES for line in lines_of(family, routes)]
    return "\n".join(lines) + "\n"


def lines_of(family: Family[S], subjects: Iterable[S]) -> Iterator[str]:
    """Of one metric, over all that it is asked of."""
    yield f"# HELP {family.name} {family.help.translate(_HELP_ESCAPES)}"
    yield f"# TYPE {family.name} {family.kind}"
    for subject in subjects:
        for values, value in family.values(subject):
            pairs = zip(family.labels, values, strict=True)
            labels = [f'{name}="{text.translate(_ESCAPES)}"' for name, text in pairs]
            yield from _samples(family.name, labels, value)


def _samples(name: str, labels: list[str], value: Value) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, Histogram):
        yield f"{name}{_braced(labels)} {_number(value)}"
        return
    for bound, count in value.cumulative():
        most = [*labels, f'le="{_number(bound)}"']
        yield f"{name}_bucket{_braced(most)} {count}"
    yield f"{name}_sum{_braced(labels)} {_number(value.sum)}"
    yield f"{name}_count{_braced(labels)} {value.count}"


def _braced(labels: list[str]) -> str:
    return f"{{{','.join(labels)}}}" if labels else ""


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if isinstance(value, int) else repr(value)
