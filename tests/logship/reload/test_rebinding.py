"""Where routes go on when an origin is matched again: decided on values alone."""

from operator import lt
from types import SimpleNamespace
from typing import cast

from logship.rebinding import Ended, handed_over
from logship.routes.conditions import Selection
from logship.routes.routing import RouteRule
from logship.routes.when import Condition
from logship.rows.address import Position
from logship.tail.feed import DiskFeed
from logship.testing import GENERATION

STDERR, ERRORS = Condition(stream="stderr"), Condition(severity="ERROR")
ALL = Selection()


def ended(at: int | None, rows: Selection = ALL) -> Ended:
    position = None if at is None else Position(GENERATION, at)
    return Ended(rows, cast(DiskFeed, SimpleNamespace(committed=position)))


def begins(
    before: dict[str, Ended], *begin: tuple[str, Selection, str | None]
) -> dict[str, int | None]:
    """By route, the offset at which it goes on; None: the first byte."""
    chosen = [(RouteRule(name, frozenset(), was=was), rows) for name, rows, was in begin]
    found = handed_over(before, chosen, lt).begins
    return {n: one.position.offset if one.position else None for n, one in found.items()}


def given(before: dict[str, Ended], *begin: tuple[str, Selection, str | None]) -> set[str]:
    chosen = [(RouteRule(name, frozenset(), was=was), rows) for name, rows, was in begin]
    return handed_over(before, chosen, lt).given


def test_routes_that_take_the_same_rows_go_on_each_at_its_own_place() -> None:
    before = {"a": ended(10), "b": ended(90)}
    assert begins(before, ("a", ALL, None), ("b", ALL, None)) == {"a": 10, "b": 90}
    assert given(before, ("a", ALL, None), ("b", ALL, None)) == set()


def test_rows_that_change_hands_are_read_from_the_earliest_place_on() -> None:
    own, rest = Selection(STDERR), Selection(above=(STDERR,))
    before = {"a": ended(10, own), "b": ended(90, rest)}
    changed = ("a", Selection(ERRORS), None), ("b", Selection(above=(ERRORS,)), None)
    assert begins(before, *changed) == {"a": 10, "b": 10}


def test_a_route_that_took_the_same_does_not_go_back_for_others() -> None:
    before = {"a": ended(10, Selection(STDERR)), "b": ended(90), "c": ended(50)}
    after = ("a", Selection(ERRORS), None), ("b", ALL, None), ("c", ALL, None)
    assert begins(before, *after) == {"a": 10, "b": 90, "c": 50}


def test_what_a_route_leaves_behind_is_taken_over_and_its_position_given_up() -> None:
    before = {"gone": ended(10), "b": ended(90, Selection(STDERR))}
    assert begins(before, ("b", ALL, None), ("new", ALL, None)) == {"b": 10, "new": 10}
    assert given(before, ("b", ALL, None), ("new", ALL, None)) == {"gone"}


def test_a_position_stays_as_long_as_nobody_takes_over() -> None:
    before = {"gone": ended(10), "b": ended(90)}
    assert given(before, ("b", ALL, None)) == set()
    assert given(before) == set()


def test_a_renamed_route_goes_on_at_its_former_place() -> None:
    before = {"old": ended(10), "b": ended(90)}
    assert begins(before, ("new", ALL, "old"), ("b", ALL, None)) == {"new": 10, "b": 90}
    assert given(before, ("new", ALL, "old"), ("b", ALL, None)) == {"old"}


def test_one_that_had_read_nothing_is_the_earliest() -> None:
    before = {"gone": ended(10), "b": ended(None, Selection(STDERR))}
    assert begins(before, ("b", ALL, None)) == {"b": None}


def test_the_order_of_conditions_above_changes_nothing() -> None:
    one, other = Selection(above=(STDERR, ERRORS)), Selection(above=(ERRORS, STDERR))
    assert one.same_rows(other)
    assert not one.same_rows(Selection(above=(STDERR,)))
    assert not one.same_rows(Selection(STDERR, above=(STDERR, ERRORS)))
