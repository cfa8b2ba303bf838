"""Whose turn it is: deficit round-robin in bytes, over namespaces, then over the origins of each.

Promise: while two namespaces both have bytes to read, what they were given differs by less than a
quantum and one batch, however many origins either has; the same holds for two origins of one
namespace. So whoever comes anew waits for at most a quantum and a batch of each other namespace.

A line of those who want a turn; the first one has it until the credit it came with is used up, then
it goes to the back with fresh credit. The size of a batch is known only once it is read, so credit
may fall below nothing; that debt is taken off the next credit. One who has nothing leaves the line,
and what was left of its credit is gone: nobody saves up. Each step is O(1), and who is not in the
line costs nothing. (Shreedhar and Varghese, "Efficient Fair Queuing using Deficit Round Robin".)
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

QUANTUM_BYTES = 256 * 1024
"""A turn: half of what a route reads at once, so who has read a whole block sits out a turn. More
would cost others time."""

T = TypeVar("T", bound=Hashable)


class Line(Generic[T]):
    """One level: who wants a turn, first the one who has it."""

    def __init__(self) -> None:
        self._credits: OrderedDict[T, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._credits)

    def __iter__(self) -> Iterator[T]:
        return iter(self._credits)

    def join(self, one: T) -> None:
        """At the back; one that is in the line already stays where it is.

        With half a quantum: batches are a little smaller or larger than a quantum, and a rest of
        credit would give every other turn a second batch.
        """
        self._credits.setdefault(one, QUANTUM_BYTES // 2)

    def leave(self, one: T) -> None:
        self._credits.pop(one, None)

    def first(self) -> T:
        """Whose turn it is. The line must not be empty."""
        while True:
            one, credit = next(iter(self._credits.items()))
            if credit > 0:
                return one
            self._to_back(one)  # deep in debt after a large batch: this turn is left out

    def charge(self, one: T, size: int) -> None:
        """It was given so many bytes."""
        self._credits[one] -= size
        if self._credits[one] <= 0:
            self._to_back(one)

    def _to_back(self, one: T) -> None:
        self._credits[one] += QUANTUM_BYTES
        self._credits.move_to_end(one)


class Turns(Generic[T]):
    """Two levels. After each `next` comes `took`, `idle` or both, before the next `next`."""

    def __init__(self, namespace_of: Callable[[T], str]) -> None:
        self._namespace_of = namespace_of
        self._namespaces: Line[str] = Line()
        self._members: dict[str, Line[T]] = {}
        """Of each namespace that is in the line."""
        self._reading: T | None = None
        self._woken = False
        """Whether `_reading` was added again while it was being read."""

    def __bool__(self) -> bool:
        return bool(self._members)

    def __iter__(self) -> Iterator[T]:
        """All who are waiting for a turn or have it."""
        for members in self._members.values():
            yield from members

    def add(self, one: T) -> None:
        """It may have something to read."""
        if one is self._reading:
            self._woken = True
        namespace = self._namespace_of(one)
        members = self._members.get(namespace)
        if members is None:
            members = self._members[namespace] = Line()
            self._namespaces.join(namespace)
        members.join(one)

    def next(self) -> T:
        """Whose turn it is; there must be somebody."""
        self._woken = False
        self._reading = self._members[self._namespaces.first()].first()
        return self._reading

    def took(self, one: T, size: int) -> None:
        """It gave so many bytes. It keeps its place, until it is told to be `idle`."""
        self._reading = None
        namespace = self._namespace_of(one)
        self._members[namespace].charge(one, size)
        self._namespaces.charge(namespace, size)

    def idle(self, one: T) -> None:
        """It has nothing left; it leaves, unless something came while one looked."""
        woken, self._reading = self._woken, None
        namespace = self._namespace_of(one)
        members = self._members[namespace]
        members.leave(one)
        if not members:
            del self._members[namespace]
            self._namespaces.leave(namespace)
        if woken:
            self.add(one)

    def rest(self, one: T) -> None:
        """It leaves, whatever it has left: it does not want to be asked before it is added."""
        self._woken = False
        self.idle(one)
