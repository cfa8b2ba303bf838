"""Where routes go on in an origin when it is matched again, because the routes have changed. Pure.

What stays as it is (the same route object, the same rows) is not touched. A binding that ends does
so at its committed position; what of it was still in flight is read again. Then

- a route that takes the same rows as before goes on where its own binding ended (its transforms or
  its sink have changed);
- rows that have changed hands, by `match`, by a `when` or because their route is gone, are read by
  whoever takes them now from the earliest place on at which one of the routes ended that had them.
  A row is left by one route only because another takes it, and both must mean the same rows: so it
  is sent again by a route that was ahead (with the same id) rather than left out between the two;
- a route that has nothing from others begins as at a start, and a new one never later than that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.routing import RouteRule
from logship.rows.address import Position
from logship.tail.feed import DiskFeed

Chosen = Sequence[tuple[RouteRule, Selection]]


@dataclass(frozen=True, eq=False, slots=True)
class Ended:
    """A binding that has ended. Its feed stays with the follower until the origin is bound again,
    so nothing is closed that it has not settled, and no late line goes by unseen.
    """

    selection: Selection
    feed: DiskFeed

    @property
    def position(self) -> Position | None:
        """Where the next one begins; None: at the first byte there is."""
        return self.feed.committed


@dataclass(frozen=True, slots=True)
class HandedOver:
    begins: dict[str, Ended]
    """By route: the ended binding at which it goes on. Others begin as at a start."""
    given: set[str]
    """Routes that have left the origin, and whose rows others have from now on."""


def staying(
    bindings: Mapping[str, Binding], chosen: Chosen, routes: Mapping[str, object]
) -> set[str]:
    """Routes whose bindings stay as they are."""
    return {
        rule.name
        for rule, selection in chosen
        if (binding := bindings.get(rule.name)) is not None
        and binding.route is routes[rule.name]
        and binding.selection.same_rows(selection)
    }


def handed_over(
    ended: Mapping[str, Ended], begin: Chosen, precedes: Callable[[Position, Position], bool]
) -> HandedOver:
    """`begin`: the routes that get a binding now."""
    owns = [(rule, selection, _own(rule, ended)) for rule, selection in begin]
    same = [own for _, selection, own in owns if own and own.selection.same_rows(selection)]
    changed = [one for one in ended.values() if one not in same]
    found, taken = {}, list(same)
    for rule, selection, own in owns:
        if own is not None and own.selection.same_rows(selection):
            found[rule.name] = own
        elif changed:
            found[rule.name], taken = earliest(changed, precedes), [*same, *changed]
    names = {rule.name for rule, _ in begin}
    return HandedOver(found, {n for n, one in ended.items() if one in taken and n not in names})


def _own(rule: RouteRule, ended: Mapping[str, Ended]) -> Ended | None:
    return ended.get(rule.name) or (ended.get(rule.was) if rule.was else None)


def earliest(ended: Iterable[Ended], precedes: Callable[[Position, Position], bool]) -> Ended:
    first, *others = ended
    for one in others:
        if first.position is None:
            return first
        if one.position is None or precedes(one.position, first.position):
            first = one
    return first
