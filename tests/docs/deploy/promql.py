"""Which metrics and labels a PromQL expression names, as far as ours use the language.

Not a parser: what is no string, number, function, keyword or label is a metric. promtool, where it
is there, has said before that the expression is right.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logship.metrics.of_agent import OF_AGENT
from logship.metrics.of_routes import OF_ROUTES

PENDING: dict[str, tuple[str, ...]] = {}
"""Metrics that the code is about to get, and their labels; empty once it has them."""
OF_OTHERS = {
    "up": (),
    "kube_daemonset_status_desired_number_scheduled": ("daemonset",),
    "kube_daemonset_status_number_ready": ("daemonset",),
}
"""Prometheus itself, kube-state-metrics."""
OF_TARGETS = frozenset({"node", "pod", "container", "job", "instance"})
"""Labels that scraping adds: deploy/podmonitor.yaml."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|`[^`]*`')
_MATCHER = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_NAME = re.compile(r"[a-zA-Z_:]\w*")
_WORDS = frozenset(
    ("and", "avg", "bool", "bottomk", "count", "histogram_quantile", "increase", "max", "min")
) | {"or", "rate", "sum", "topk", "unless", "vector"}


def labels_of_metrics() -> dict[str, frozenset[str]]:
    """Every name that may be asked for, and the labels it has itself."""
    known = {name: frozenset(labels) for name, labels in {**PENDING, **OF_OTHERS}.items()}
    defined = [(one.name, one.kind, one.labels) for one in OF_AGENT]
    defined += [(one.name, one.kind, one.labels) for one in OF_ROUTES]
    for name, kind, labels in defined:
        if kind != "histogram":
            known[name] = frozenset(labels)
            continue
        known[f"{name}_bucket"] = frozenset({*labels, "le"})
        known |= {f"{name}_{part}": frozenset(labels) for part in ("sum", "count")}
    return known


@dataclass(frozen=True)
class Named:
    metrics: dict[str, set[str]]
    """With the labels that matchers of theirs name."""
    grouped_by: set[str]


def named(expression: str) -> Named:
    text = _RANGE.sub("", _STRING.sub('""', expression))
    grouped = {label for group in _GROUPING.findall(text) for label in _NAME.findall(group)}
    text = _GROUPING.sub("", text)
    metrics: dict[str, set[str]] = {}
    for name, matchers in _selectors(text):
        metrics.setdefault(name, set()).update(_MATCHER.findall(matchers))
    return Named(metrics, grouped)


def _selectors(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?", re.sub(r"\$\w+", "", text)):
        if found[1] not in _WORDS:
            yield found[1], found[2] or ""


def problems(expression: str, shown: Iterable[str] = ()) -> list[str]:
    """Metrics that do not exist, and labels that what it asks for does not have.

    `shown`: labels that a legend or an annotation takes from the result.
    """
    known, says = labels_of_metrics(), named(expression)
    wrong = [f"there is no metric {name}" for name in says.metrics if name not in known]
    there = [known[name] | OF_TARGETS for name in says.metrics if name in known]
    for name, labels in says.metrics.items():
        unknown = labels - known.get(name, labels) - OF_TARGETS
        wrong += [f"{name} has no label {label}" for label in unknown]
    every = frozenset().union(*there)
    wrong += [f"nothing here has a label {label}" for label in says.grouped_by - every]
    left = says.grouped_by or every
    wrong += [f"the result has no label {label}" for label in set(shown) - left]
    return wrong
