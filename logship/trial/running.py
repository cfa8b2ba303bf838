"""One test: what was shipped, and everything in which it is not what was expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logship.config import Config
from logship.parts import Parts
from logship.trial.comparing import Pair, compare
from logship.trial.given import now_of
from logship.trial.options import Case, Expected, Row
from logship.trial.shipping import Came, Shipped, ship
from logship.world import Clock


class StandingClock(Clock):
    """Stands where a test puts it, so that a test has the same result on every day."""

    def __init__(self) -> None:
        self.ns = 0

    def wall_ns(self) -> int:
        return self.ns


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met."""

    path: str
    """Of the expectation, in the file of tests."""
    about: str
    wanted: int
    came: Sequence[Came]
    rows: Sequence[str | Row] = ()
    pairs: Sequence[Pair] = ()
    """Empty where only the count was said."""
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Result:
    case: Case
    path: str
    shipped: Shipped
    failures: Sequence[Failure]

    @property
    def passed(self) -> bool:
        return not self.failures


def run(case: Case, path: str, config: Config, parts: Parts, clock: StandingClock) -> Result:
    """`clock`: that of the parts."""
    clock.ns = now_of(case.given)
    shipped = ship(case.given, config, parts, clock.ns)
    failures = [*_sent(case, path, shipped), *_others(case, path, shipped)]
    return Result(case, path, shipped, failures)


def _sent(case: Case, path: str, shipped: Shipped) -> list[Failure]:
    """Each row belongs to the first expectation that names its place."""
    failures, left = [], list(shipped.sent)
    for number, expected in enumerate(case.expect):
        came = [row for row in left if _at(expected, row)]
        left = [row for row in left if not _at(expected, row)]
        wanted = expected.rows if expected.rows is not None else expected.count or 0
        failures += _failure(f"{path}.expect[{number}]", _place(expected), wanted, came)
    places = dict.fromkeys((row.route, row.sink) for row in left)
    for route, sink in places:
        came = [row for row in left if (row.route, row.sink) == (route, sink)]
        about = _place(Expected(route=route, sink=sink, count=0))
        failures += _failure(path, about, (), came)
    return failures


def _at(expected: Expected, row: Came) -> bool:
    return expected.route in (None, row.route) and expected.sink in (None, row.sink)


def _place(expected: Expected) -> str:
    named: Mapping[str, str | None] = {"route": expected.route, "sink": expected.sink}
    return ", ".join(f"{kind} {name}" for kind, name in named.items() if name is not None)


def _others(case: Case, path: str, shipped: Shipped) -> list[Failure]:
    failures = _failure(f"{path}.dropped", "dropped", case.dropped, shipped.dropped)
    failures += _failure(f"{path}.unmatched", "unmatched", case.unmatched, shipped.unmatched)
    if len(shipped.unread) != case.unread:
        said = Failure(f"{path}.unread", "logs unread", case.unread, (), reasons=shipped.unread)
        failures.append(said)
    if shipped.bugs:
        failures.append(Failure(path, "a component failed", 0, (), reasons=shipped.bugs))
    return failures


def _failure(
    path: str, about: str, wanted: int | Sequence[str | Row], came: Sequence[Came]
) -> list[Failure]:
    if isinstance(wanted, int):
        return [] if wanted == len(came) else [Failure(path, about, wanted, came)]
    pairs = compare(wanted, came)
    if all(pair.wanted is not None and pair.came and not pair.differences for pair in pairs):
        return []
    return [Failure(path, about, len(wanted), came, wanted, pairs)]
