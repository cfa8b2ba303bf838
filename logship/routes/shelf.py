"""What is kept of a route's rows while it sheds, until its sink takes it.

The shelf is charged to the route's budget, and takes no more than the route's own part of the
memory: what is borrowed is in writes, and can always be given back. When a sink gives a batch back
it returns to the shelf, and only if it does not fit goes back to its feed, to be read and judged
again. When a batch finds no room its origin is parked: others, of which everything may go, are
read on. It is woken when there is room.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import Protocol

from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.limits import Budget
from logship.delivery.parcel import Parcel, Reader
from logship.delivery.sender import Sender
from logship.routes.binding import Binding
from logship.routes.shed_rules import Drops
from logship.routes.stretches import bare
from logship.world import Clock


class Keeper(Protocol):
    """Who is told what becomes of survivors."""

    def delivered(self, survivors: "Survivors") -> None: ...
    def given_back(self, survivors: "Survivors") -> None: ...


@dataclass(eq=False, slots=True)
class Survivors:
    """What is left of a batch; its parcel's `Reader`."""

    binding: Binding
    taken: Batch
    """Bare."""
    size: int
    """Bytes of log that were taken."""
    kept: Batch
    dropped: Drops
    why: str
    keeper: Keeper

    @property
    def blocked(self) -> bool:
        return self.binding.blocked

    @blocked.setter
    def blocked(self, blocked: bool) -> None:
        self.binding.blocked = blocked

    def settle(self, batch: Batch) -> None:
        self.keeper.delivered(self)

    def release(self, batch: Batch) -> None:
        self.keeper.given_back(self)

    def wake(self) -> None:
        self.binding.wake()

    def put_back(self) -> None:
        """To the feed, which gives all of the batch again."""
        self.binding.read_bytes -= self.size - self.taken.size()
        self.binding.release(self.taken)


def survivors(
    binding: Binding, taken: Batch, kept: Batch, dropped: Drops, why: str, keeper: Keeper
) -> Survivors:
    if dropped:  # hold no block for the sake of a few rows
        texts = "\n".join([*kept.rows.texts, ""])
        kept = replace(kept, block=texts.encode(errors="replace"))
    return Survivors(binding, bare(taken), taken.size(), kept, dropped, why, keeper)


class Shelf:
    def __init__(
        self, sender: Sender, budget: Budget, counters: RouteCounters, clock: Clock
    ) -> None:
        self._sender, self._budget = sender, budget
        self._counters, self._clock = counters, clock
        self._parcels: deque[Parcel] = deque()
        self._parked: dict[Binding, int] = {}
        """With what they need."""
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self.held = 0
        """Bytes of memory."""
        self.closed = False
        """The agent stops: nothing is kept here any more."""

    def __bool__(self) -> bool:
        return bool(self._parcels)

    def weigh(self) -> int:
        """`held`, by what is here."""
        return sum(parcel.batch.held_bytes() for parcel in self._parcels)

    @property
    def parked(self) -> dict[Binding, int]:
        return self._parked

    def put(self, one: Survivors) -> bool:
        """Whether there is room for them."""
        size = one.kept.held_bytes()
        if not self._fits(size):
            return False
        self._hold(one, one.kept, size)
        return True

    def take_back(self, one: Survivors) -> bool:
        """Whether there is room for what was given back: it is held until this returns."""
        size = one.kept.held_bytes()
        if self.closed or (self.held and self.held + size > self._budget.own_bytes):
            return False
        self._counters.reread_rows += one.kept.row_count()
        self._hold(one, one.kept, size, first=True)
        return True

    def announce(self, reader: Reader, batch: Batch) -> None:
        """Before all others, and whether there is room or not: it is small."""
        self._hold(reader, batch, batch.held_bytes(), first=True)

    def _fits(self, size: int, beside: int = 0) -> bool:
        """One thing always fits where nothing is held; `beside`: what is expected too."""
        if self._budget.empty and not beside:
            return True
        size += beside
        return self.held + size <= self._budget.own_bytes and self._budget.has_room(size)

    def _hold(self, reader: Reader, batch: Batch, size: int, *, first: bool = False) -> None:
        parcel = Parcel(reader, batch, self._budget, self._counters, size)
        parcel.hold()
        if self.closed:
            self._sender.send(parcel)
            return
        (self._parcels.appendleft if first else self._parcels.append)(parcel)
        self.held += size
        self._filled.set()

    async def run(self) -> None:
        """Give what is here to the sender, as it takes it, until cancelled."""
        sender = self._sender
        while True:
            while not self._parcels:
                self._filled.clear()
                await self._filled.wait()
            while (pause := sender.paused_secs) > 0:
                await self._clock.sleep(pause)
            await sender.turn()
            if self._parcels and not sender.paused_secs:
                self._send_next()

    def _send_next(self) -> None:
        parcel = self._parcels.popleft()
        self.held -= parcel.held
        self._sender.send(parcel)
        if not self._parcels:
            self._emptied.set()

    async def empty(self) -> None:
        """Wait until it is."""
        while self._parcels:
            self._emptied.clear()
            await self._emptied.wait()

    def close(self) -> None:
        """Give all of it to the sender, now and from now on."""
        self.closed = True
        while self._parcels:
            self._send_next()

    def park(self, binding: Binding, kept: Batch) -> None:
        """It waits for room."""
        binding.parked = True
        self._parked[binding] = kept.held_bytes()

    def unpark(self, *, everyone: bool = False) -> None:
        """Wake those for which there is room, first come, first served; or all."""
        woken = 0
        for binding, size in list(self._parked.items()):
            if not everyone and not self._fits(size, woken):
                return
            woken += size
            self.forget(binding)
            binding.wake()

    def forget(self, binding: Binding) -> None:
        if self._parked.pop(binding, None) is not None:
            binding.parked = False
