"""Blocking calls of one sink, one after the other, also when a write is cancelled.

A thread cannot be cancelled. When the write that started it is, the call goes on; the next one
begins only after it has ended, so that the lines of two writes never mix.
"""

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from logship.api import Offload

P = ParamSpec("P")
T = TypeVar("T")


class InOrder:
    def __init__(self, offload: Offload) -> None:
        self._offload = offload
        self._turn = asyncio.Lock()
        self._running: asyncio.Future[Any] | None = None  # of whatever type the call gives

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The call's result, in a thread, after all calls before it have ended."""
        async with self._turn:
            await self._ended()
            running = asyncio.ensure_future(self._offload.run(call, *args, **kwargs))
            self._running = running
            return await asyncio.shield(running)

    async def close(self) -> None:
        """Wait for the last call."""
        async with self._turn:
            await self._ended()

    async def _ended(self) -> None:
        if self._running is not None:
            await asyncio.wait([self._running])
            if not self._running.cancelled():
                self._running.exception()  # taken: its write was cancelled and asked again
            self._running = None
