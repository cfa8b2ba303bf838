"""A bound on bytes held, and the way to wait for room.

Each route has its own, a fixed part of `memory.max_bytes`: what one route holds can never be in
another one's way.
"""

import asyncio


class Budget:
    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def empty(self) -> bool:
        return self.held == 0

    def has_room(self, size: int) -> bool:
        """One thing always fits an empty budget, however large it is."""
        return self.held == 0 or self.held + size <= self.max_bytes

    def hold(self, size: int) -> None:
        self.held += size

    def give_back(self, size: int) -> None:
        self.held -= size
        self._room.set()

    async def wait_for_room(self, size: int) -> None:
        while not self.has_room(size):
            self._room.clear()
            await self._room.wait()
