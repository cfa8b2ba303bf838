"""Time as the engine sees it."""

import asyncio
import time


class Clock:
    def now(self) -> float:
        """Seconds that only go forward; their zero means nothing."""
        return time.monotonic()

    def wall_ns(self) -> int:
        """Nanoseconds since 1970, UTC."""
        return time.time_ns()

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(secs)
