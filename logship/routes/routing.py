"""Which routes an origin goes to. A plain function of labels.

Routes are tried from top to bottom; the first that matches takes the origin, `continue: true` lets
later ones have it too. A route with `when` takes only some rows; the others fall through. An
origin can ask for a route by its name: then trying begins there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from logship.origin import Labels, Problem, Wish
from logship.routes.conditions import Selection
from logship.routes.match import Match, Verdict
from logship.routes.when import Condition

ROUTE = "annotation:logship/route"
"""The label by which an origin asks for a route."""
_MAX_NAMES_CHARS = 300


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


def choose_as_wished(
    rules: Sequence[RouteRule], source: str, labels: Labels, wish: Wish, *, force: bool
) -> list[tuple[RouteRule, Selection]] | None:
    """`choose` for an origin whose metadata asks for something."""
    if wish.exclude:
        return []
    rules, _ = beginning_with(rules, source, wish.route, labels)
    return choose(rules, source, labels.values, labels.known, force=force)


def problem_of_route(
    rules: Sequence[RouteRule], source: str, labels: Labels, wish: Wish
) -> Problem | None:
    """What is wrong with the route that it asks for."""
    return None if wish.exclude else beginning_with(rules, source, wish.route, labels)[1]


def beginning_with(
    rules: Sequence[RouteRule], source: str, wanted: str, labels: Labels
) -> tuple[Sequence[RouteRule], Problem | None]:
    """The rules from the route on that an origin asks for, and what is wrong if it cannot be.

    What some route's `match` says about the annotation goes first: there the value is a word that
    was agreed on, and no name. A named route is where trying begins, so those above are passed
    over; its own `match` must take the origin all the same, since it is the operator who says what
    may go where.
    """
    mine = [rule for rule in rules if source in rule.sources]
    if not wanted or any(r.match is not None and r.match.names(ROUTE, wanted) for r in mine):
        return rules, None
    named = next((rule for rule in mine if rule.name == wanted), None)
    if named is None:
        known = ", ".join(rule.name for rule in mine)[:_MAX_NAMES_CHARS]
        advice = f"there is no such route; there are {known}"
        return rules, Problem("no_such_route", _annotation(labels), wanted, advice)
    if _verdict(named, labels.values, labels.known) is Verdict.NO:
        advice = "the `match` of this route does not take this pod"
        return rules, Problem("route_does_not_match", _annotation(labels), wanted, advice)
    return rules[rules.index(named) :], None


def _annotation(labels: Labels) -> str:
    """Its name: the container's own goes before the pod's."""
    name = ROUTE.removeprefix("annotation:")
    own = f"{labels.get('container')}.{name}"
    return own if f"annotation:{own}" in labels.values else name


def _verdict(rule: RouteRule, labels: Mapping[str, str], known: bool) -> Verdict:
    return Verdict.YES if rule.match is None else rule.match.evaluate(labels, known=known)
