"""Which routes an origin goes to. A plain function of labels.

Routes are tried from top to bottom; the first that matches takes the origin, `continue: true` lets
later ones have it too. A route with `when` takes only some rows; the others fall through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from logship.routes.conditions import Selection
from logship.routes.match import Match, Verdict
from logship.routes.when import Condition


@dataclass(frozen=True, slots=True)
class RouteRule:
    """What the configuration of a route says about which rows it takes."""

    name: str
    sources: frozenset[str]
    match: Match | None = None
    when: Condition | None = None
    goes_on: bool = False
    """`continue`: later routes may have what this one takes."""
    on_unknown: Literal["route", "skip"] = "route"
    was: str | None = None


def choose(
    rules: Sequence[RouteRule], source: str, labels: Mapping[str, str], known: bool, *, force: bool
) -> list[tuple[RouteRule, Selection]] | None:
    """The routes for an origin of `source`, each with its rows; None: cannot be told yet.

    `force`: it must be told now; `on_unknown` stands in for what the metadata would have said.
    """
    chosen: list[tuple[RouteRule, Selection]] = []
    above: list[Condition] = []
    for rule in rules:
        if source not in rule.sources:
            continue
        verdict = _verdict(rule, labels, known)
        if verdict is Verdict.UNKNOWN:
            if not force:
                return None
            verdict = Verdict.YES if rule.on_unknown == "route" else Verdict.NO
        if verdict is Verdict.NO:
            continue
        chosen.append((rule, Selection(rule.when, tuple(above))))
        if rule.goes_on:
            continue
        if rule.when is None:
            break
        above.append(rule.when)
    return chosen


def _verdict(rule: RouteRule, labels: Mapping[str, str], known: bool) -> Verdict:
    return Verdict.YES if rule.match is None else rule.match.evaluate(labels, known=known)
