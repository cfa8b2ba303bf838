"""Sees that the configuration file is another one.

As the kubelet does it: the file is a link into `..data`, which is a link to a directory, and an
update renames another link over `..data`. Or as an editor does: the file is written, or another one
renamed to its name. So the directory is watched, and what the name leads to is compared; every
`SCAN_SECS` it is compared anyway. A file that is being written is left alone until it rests.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from logship.world import Stat, World
from logship.world.directory_events import DirectoryEvents

SCAN_SECS = 10.0
REST_SECS = 0.5
_MOST_LOOKS = 20
"""A file that is written to all the time is read at last all the same."""

Sight = tuple[Stat | None, str]


class ConfigWatch:
    def __init__(
        self,
        path: str,
        world: World,
        logger: logging.Logger,
        open_events: Callable[[str], DirectoryEvents] = DirectoryEvents,
    ) -> None:
        self._path, self._world, self._log = path, world, logger
        self._open_events = open_events
        self._events: DirectoryEvents | None = None
        self._seen = self._look()

    def open(self) -> None:
        """Call in the loop."""
        directory = self._path.rpartition("/")[0] or ("/" if self._path.startswith("/") else ".")
        try:
            self._events = self._open_events(directory)
        except OSError as error:
            self._log.info(
                "%s is looked at every %.0f s, because it cannot be watched: %s",
                self._path, SCAN_SECS, error.strerror or error,
            )  # fmt: skip

    async def close(self) -> None:
        if self._events is not None:
            await self._world.offload.run(self._events.close)

    async def changed(self) -> None:
        """Wait until it is another one than at the last call, and rests."""
        while (sight := self._look()) == self._seen:
            await self._something()
        for _ in range(_MOST_LOOKS):
            await self._world.clock.sleep(REST_SECS)
            before, sight = sight, self._look()
            if sight == before:
                break
        self._seen = sight

    def _look(self) -> Sight:
        disk = self._world.disk
        return disk.stat(self._path), disk.realpath(self._path)

    async def _something(self) -> None:
        if self._events is None:
            await self._world.clock.sleep(SCAN_SECS)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(SCAN_SECS):
                await self._events.happened.wait()
        self._events.happened.clear()
