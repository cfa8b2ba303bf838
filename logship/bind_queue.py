"""Origins that are to be bound soon, each once, in the order in which they came."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from logship.entry import Entry


class BindQueue:
    def __init__(self, bind: Callable[[Entry], Awaitable[None]], logger: logging.Logger) -> None:
        self._bind, self._log = bind, logger
        self._entries: dict[Entry, None] = {}
        self._some = asyncio.Event()

    def put(self, entry: Entry) -> None:
        self._entries[entry] = None
        self._some.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._some.wait()
            while self._entries:
                entry = next(iter(self._entries))
                del self._entries[entry]
                await self._bind_one(entry)
                await asyncio.sleep(0)  # thousands may come at once: let others run
            self._some.clear()

    async def _bind_one(self, entry: Entry) -> None:
        try:
            await self._bind(entry)
        except OSError as error:
            self._log.warning("cannot read %s: %s", entry.origin.key, error)
        except Exception as error:  # hostile bytes: other origins go on
            self._log.error("a bug in binding %s", entry.origin.key, exc_info=error)
