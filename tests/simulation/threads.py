"""The threads of one process: what they were given is done also when nobody waits for it any more.

A write is there at once, as in the page cache, and its thread comes back when the fsync does, which
may take long.
"""

import asyncio
import random
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from logship.world import Offload
from tests.simulation.disk import DEAD, SimDisk, Weather

P = ParamSpec("P")
T = TypeVar("T")


class SimOffload(Offload):
    def __init__(self, disk: SimDisk, weather: Weather, chance: random.Random) -> None:
        self._disk, self._weather, self._chance = disk, weather, chance

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.shield(
            asyncio.ensure_future(self._thread(lambda: call(*args, **kwargs)))
        )

    async def _thread(self, call: Callable[[], T]) -> T:
        disk = self._disk
        await asyncio.sleep(self._chance.choice((0.0, 0.0, 0.0, 0.0003, 0.004)))
        if disk.dead:
            raise DEAD
        before = len(disk.writes)
        try:
            return call()
        finally:
            if len(disk.writes) > before:
                await asyncio.sleep(self._weather.sync_secs * self._chance.random())
                disk.durable()
            await asyncio.sleep(0)

    def close(self) -> None:
        """No threads."""
