"""A batch on its way from a feed to a sink.

It is settled when all its parts are: the rows still to be delivered are one part, the rows of it
that go to the dead letters are others. One that was released is no longer ours to settle. When
nothing is left but refused rows that wait for room in the dead letters, it holds only these: so
that what cannot be buried stops its own binding, and not, by the memory it holds, its route.
"""

from dataclasses import dataclass, field
from typing import Protocol

from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.limits import Budget


class Reader(Protocol):
    """What a parcel knows of the binding it came from."""

    blocked: bool
    """Its dead letters cannot be written: it must not read on."""

    def settle(self, batch: Batch) -> None: ...
    def release(self, batch: Batch) -> None: ...
    def wake(self) -> None: ...


@dataclass(eq=False, slots=True)
class Parcel:
    reader: Reader
    batch: Batch
    """The rows still to be delivered; its spans are always those of the batch as taken."""
    budget: Budget
    counters: RouteCounters
    held: int
    parts: int = 1
    released: bool = False
    size: int = field(init=False)
    """Bytes of log that it stands for."""
    waiting: int = 0
    """Parts that wait for the dead letters, and the bytes that these need."""
    letter_bytes: int = 0

    def __post_init__(self) -> None:
        self.size = self.batch.size()

    def hold(self) -> None:
        """From now on it is on its way, and its memory is charged."""
        self.counters.hold(self.batch)
        self.budget.hold(self.held)
        self.counters.held_bytes += self.held

    def _let_go(self, left: int = 0) -> None:
        """Of what is charged all but `left`."""
        self.budget.give_back(self.held - left)
        self.counters.held_bytes -= self.held - left
        self.held = left

    def end_part(self) -> None:
        self.parts -= 1
        if self.parts == 0 and not self.released:
            self.reader.settle(self.batch)
            self.counters.delivered_bytes += self.size
            self._let_go()
        else:
            self._shrink()

    def begin_wait(self, size: int) -> None:
        """A part needs nothing of the batch any more, but `size` bytes of its own."""
        self.waiting += 1
        self.letter_bytes += size
        self._shrink()

    def end_wait(self, size: int) -> None:
        self.waiting -= 1
        self.letter_bytes -= size

    def _shrink(self) -> None:
        """Hold no more than what waits, if all that is left of it does."""
        if self.released or self.parts > self.waiting:
            return
        self.batch = self.batch.spans_only()
        self._let_go(min(self.held, self.letter_bytes))

    def release(self) -> None:
        """Forget it: it is taken again later."""
        self.released = True
        self.counters.release(self.batch)
        self.reader.release(self.batch)
        self._let_go()
