"""A route on an origin: a feed, with the row conditions that hold for it.

Beside the rows of the feed it gives the agent's own about the origin (`notice`), which go first,
and knows how fast the origin may be read. While it rests for that it takes no turn, so it costs
the others nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from logship.api import Feed
from logship.batch import Batch
from logship.routes.conditions import Selection
from logship.routes.throttle import Throttle


class Ready(Protocol):
    """Where a binding says that there may be something to take."""

    @property
    def name(self) -> str: ...

    def ready(self, binding: "Binding") -> None: ...
    def remove(self, binding: "Binding") -> None: ...
    def hurry(self) -> None: ...


def _perhaps() -> bool:
    return True


@dataclass(eq=False, slots=True)
class Binding:
    feed: Feed
    selection: Selection
    route: Ready
    due: Callable[[], bool] = _perhaps
    """Whether `take` may give more, right after it gave something. A feed that cannot tell is
    asked again; one that can saves every small batch a second, empty `take`."""
    blocked: bool = False
    """Its dead letters cannot be written: it reads nothing new."""
    parked: bool = False
    """What it has must be kept, and there is no room: it reads nothing until there is (`shelf`)."""
    namespace: str = field(init=False)
    """Whose share of reading it counts to: its namespace, or its source where it has none."""
    stirred: bool = True
    """It took, settled or gave back something since it was last asked where it stands."""
    read_bytes: int = 0
    """Read so far, without what was released: that has to be read again."""
    out: int = 0
    """Bytes that were taken and are neither settled nor released. Counted by spans: what is settled
    together need not have been taken together."""
    ending: bool = False
    """It reads nothing new."""
    ended: bool = False
    """Another one goes on where it stood: what is still out is not its business."""
    _nothing_out: asyncio.Event | None = None
    notices: list[Batch] = field(default_factory=list)  # an empty deque takes 700 bytes more
    """Rows of the agent's own that are still to be taken."""
    notices_out: int = 0
    throttle: Throttle | None = None
    resting: bool = False
    """It was read as fast as it may be: it wants no turn for now."""

    def __post_init__(self) -> None:
        labels = self.feed.origin.labels
        self.namespace = labels.get("namespace") or f"({labels.get('source')})"

    @property
    def owes(self) -> bool:
        """Whether rows of the agent's own are not delivered yet."""
        return bool(self.notices) or self.notices_out > 0

    def tell(self, batch: Batch) -> None:
        """Deliver a row of the agent's own."""
        batch.route = self.route.name
        self.notices.append(batch)
        self.wake()

    def next_notice(self) -> Batch | None:
        if not self.notices:
            return None
        self.notices_out += 1
        return self.notices.pop(0)

    def pace(self, bytes_per_sec: float | None) -> None:
        """Read at most so fast from now on; None: as fast as can be."""
        if bytes_per_sec is None:
            self.throttle = None
        elif self.throttle is None or self.throttle.bytes_per_sec != bytes_per_sec:
            self.throttle = Throttle(bytes_per_sec)

    def took(self, batch: Batch) -> None:
        self.read_bytes += batch.size()
        self.out += _bytes(batch)

    def settle(self, batch: Batch) -> None:
        if batch.made:
            self.notices_out -= 1
            return
        self._came_back(batch)
        if not self.ended:
            self.feed.settle(batch)

    def release(self, batch: Batch) -> None:
        if batch.made:
            self.notices_out -= 1
            batch.reread = True
            self.notices.insert(0, batch)
            self.wake()
            return
        self._came_back(batch)
        self.read_bytes -= batch.size()
        if not self.ended:
            self.feed.release(batch)

    def _came_back(self, batch: Batch) -> None:
        self.stirred = True
        self.out -= _bytes(batch)
        if self._nothing_out is not None and self.out <= 0:
            self._nothing_out.set()

    def wake(self) -> None:
        """There may be something to take."""
        if not (self.blocked or self.parked or self.resting or self.ending):
            self.route.ready(self)

    async def run_dry(self) -> None:
        """Read nothing new, and wait until nothing is out."""
        self.ending, self._nothing_out = True, asyncio.Event()
        if self.out > 0:
            self.route.hurry()
            await self._nothing_out.wait()

    def go_on(self) -> None:
        """It does not end after all."""
        if self.ending:
            self.ending = False
            self.wake()

    def end(self, *, handed_over: bool) -> None:
        """It is over. `handed_over`: whatever becomes of what is out, others read it again."""
        self.ending, self.ended = True, handed_over
        self.route.remove(self)


def _bytes(batch: Batch) -> int:
    if batch.made:
        return 0
    if len(batch.pieces) == 1:  # as nearly always
        _, start, end = batch.pieces[0]
        return end - start
    return sum([span.size for span in batch.pieces])
