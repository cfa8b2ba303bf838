"""A bound on bytes held by all routes together, and the way to wait for room.

Each route has a part of its own, enough for one write, which no other can touch: so none can stop
another. What is left of `memory.max_bytes` is common. A route borrows from it when its own part is
used up, as long as its sink does not stall and nobody waits who has borrowed less: so those who
can use more get equal shares. What a route has borrowed comes back when its writes end; one that
stalls is asked to give it back before as soon as another waits.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Protocol

HELD_PER_BYTE = 6
"""What a byte of log holds, at most if rows are not very short (see `Batch.held_bytes`)."""
LOOK_SECS = 0.25
"""Who waits looks so often whether others stall: that comes by time alone."""


class Borrower(Protocol):
    """What holds the bytes."""

    @property
    def stalled(self) -> bool:
        """Whether it makes no use of what it holds."""
        ...

    def reclaim(self, size: int) -> None:
        """It stalls: give back about so much of what is borrowed."""
        ...


class Pool:
    """What is common."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.borrowed = 0
        self.budgets: list[Budget] = []
        self._waiting: list[Budget] = []

    def lends(self, to: "Budget", size: int) -> bool:
        if self.borrowed + size > self.max_bytes:
            return False
        return all(other.stalled or other.borrowed >= to.borrowed for other in self._waiting)

    def begin_waiting(self, budget: "Budget") -> None:
        self._waiting.append(budget)

    def end_waiting(self, budget: "Budget") -> None:
        self._waiting.remove(budget)
        self.wake()

    def wake(self) -> None:
        for budget in self._waiting:
            budget.room.set()

    def divide(self, common: int, own: Mapping["Budget", int]) -> None:
        """From now on so much is common, and each of these has so much of its own; others leave."""
        for budget in self.budgets:
            budget.join(Pool(0), budget.own_bytes)
        self.max_bytes, self.borrowed, self.budgets = common, 0, []
        for budget, size in own.items():
            budget.join(self, size)
        self.wake()

    def reclaim(self, size: int, waiting: "Budget") -> None:
        """Have those that stall give back what they have borrowed, the largest first."""
        if not self.max_bytes:
            return  # there is nothing to lend
        for budget in sorted(self.budgets, key=attrgetter("borrowed"), reverse=True):
            if not budget.borrowed or waiting.stalled or waiting.has_room(size):
                return
            if budget.borrower is not None and budget.borrower.stalled:
                budget.borrower.reclaim(size)


class Budget:
    """Of one route."""

    def __init__(self, own_bytes: int, pool: Pool | None = None) -> None:
        self.own_bytes = own_bytes
        self.held = 0
        self.room = asyncio.Event()
        """Something was given back."""
        self.borrower: Borrower | None = None
        self.join(Pool(0) if pool is None else pool, own_bytes)

    def join(self, pool: Pool, own_bytes: int) -> None:
        """Borrow from this pool from now on."""
        self._pool, self.own_bytes = pool, own_bytes
        pool.budgets.append(self)
        pool.borrowed += self.borrowed

    @property
    def max_bytes(self) -> int:
        """It never holds more, but for one batch that is larger than its own part."""
        return self.own_bytes + self._pool.max_bytes

    @property
    def borrowed(self) -> int:
        return max(0, self.held - self.own_bytes)

    @property
    def stalled(self) -> bool:
        return self.borrower is not None and self.borrower.stalled

    @property
    def empty(self) -> bool:
        return self.held == 0

    def has_room(self, size: int) -> bool:
        """One thing always fits an empty budget, however large it is."""
        beyond = self.held + size - self.own_bytes
        if self.held == 0 or beyond <= 0:
            return True
        return not self.stalled and self._pool.lends(self, beyond - self.borrowed)

    def hold(self, size: int) -> None:
        self._change(size)

    def give_back(self, size: int) -> None:
        borrowed = self.held > self.own_bytes
        self._change(-size)
        self.room.set()
        if borrowed:
            self._pool.wake()

    def _change(self, size: int) -> None:
        before, own = self.held, self.own_bytes
        self.held = after = before + size
        if before > own or after > own:
            self._pool.borrowed += max(0, after - own) - max(0, before - own)

    async def wait_for_room(self, size: int) -> None:
        pool = self._pool
        pool.begin_waiting(self)
        try:
            while not self.has_room(size):
                self.room.clear()
                self._pool.reclaim(size, self)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECS):
                        await self.room.wait()
        finally:
            pool.end_waiting(self)


def shares(max_bytes: int, requests: Sequence[int]) -> tuple[list[int], int]:
    """What each route has of its own, by how many bytes of log a full write of its sink is, and
    what is common.

    Where there is less than one write for each, all of it is divided and nothing is common.
    """
    wanted = [HELD_PER_BYTE * size for size in requests]
    total = sum(wanted)
    if total > max_bytes:
        return [max_bytes * size // total for size in wanted], 0
    return wanted, max_bytes - total


def divide(max_bytes: int, requests: Sequence[int]) -> list[Budget]:
    """A budget for each route: see `shares`."""
    own, common = shares(max_bytes, requests)
    pool = Pool(common)
    return [Budget(size, pool) for size in own]
