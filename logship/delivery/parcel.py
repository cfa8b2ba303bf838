"""A batch on its way from a feed to a sink.

It is settled when all its parts are: the rows still to be delivered are one part, the rows of it
that go to the dead letters are others. One that was released is no longer ours to settle.
"""

from dataclasses import dataclass
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

    def hold(self) -> None:
        """From now on its memory is charged."""
        self.budget.hold(self.held)
        self.counters.held_bytes += self.held

    def _let_go(self) -> None:
        self.budget.give_back(self.held)
        self.counters.held_bytes -= self.held

    def end_part(self) -> None:
        self.parts -= 1
        if self.parts == 0 and not self.released:
            self.reader.settle(self.batch)
            self.counters.delivered_bytes += self.batch.size()
            self._let_go()

    def release(self) -> None:
        """Forget it: it is taken again later."""
        self.released = True
        self.counters.release(self.batch)
        self.reader.release(self.batch)
        self._let_go()
