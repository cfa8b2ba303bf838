"""How fast bytes may go to a sink: a token bucket, kept as the time when it has tokens again.

The routes to one sink share it, and take turns in the order they came. A write may go as soon as
the bucket is not empty, however large it is; the next one waits the longer (GCRA, ITU-T I.371).
After a rest BURST_SECS worth of bytes go at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from logship.world import Clock

BURST_SECS = 1.0


class Rate:
    """Of one sink."""

    def __init__(self, bytes_per_sec: int, clock: Clock) -> None:
        self._bytes_per_sec, self._clock = bytes_per_sec, clock
        self._free_at: float | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a write may go; what it holds is to be spent inside."""
        async with self._turn:
            while (wait := (self._free_at or 0.0) - self._clock.now()) > 0:
                await self._clock.sleep(wait)
            yield

    def spend(self, size: int) -> None:
        now = self._clock.now()
        earliest = now - BURST_SECS
        free_at = earliest if self._free_at is None else max(earliest, self._free_at)
        self._free_at = free_at + size / self._bytes_per_sec
