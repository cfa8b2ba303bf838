"""The directories of logs, as a source sees them: by inotify, or by looking once a second."""

import asyncio

from logship.origin import Origin
from tests.simulation.files import LOGS

LOOK_SECS = 1.0


class Directories:
    """Of one process; the world tells it of changes."""

    def __init__(self, *, watched: bool) -> None:
        self.watched = watched
        self.origins: dict[str, Origin] = {}
        """By the directory of their logs."""
        self.changed: dict[str, None] = {}
        """Directories whose entries changed since the source last looked."""
        self._event = asyncio.Event()

    def changes(self, directory: str) -> None:
        if directory.startswith(LOGS):
            self.changed[directory] = None
            if self.watched:
                self._event.set()

    async def wait(self) -> list[str]:
        if self.watched:
            await self._event.wait()
        else:
            await asyncio.sleep(LOOK_SECS)
        self._event.clear()
        found, self.changed = list(self.changed), {}
        return found
