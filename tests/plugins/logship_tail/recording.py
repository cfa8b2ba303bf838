"""A catalog that remembers what sources tell it, and a run of a source against it.

`Recorder.until` waits for a state, never for a time; its bound only ends a test that has failed.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from logship.api import Labels, LogFile, OpenFeed, Origin, Source

BOUND_SECS = 10.0


class Recorder:
    """`api.Catalog`, with what was told in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.labels: dict[str, Labels] = {}
        self.logs: dict[str, LogFile] = {}
        self._told = asyncio.Event()

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        assert isinstance(log, LogFile)
        self.labels[origin.key] = origin.labels
        self.logs[origin.key] = log
        self._note("add", origin.key)

    def complete(self) -> None:
        """Not an event of one origin: not recorded."""

    def update(self, key: str, labels: Labels) -> None:
        self.labels[key] = labels
        self._note("update", key)

    def touch(self, key: str) -> None:
        self._note("touch", key)

    def retire(self, key: str) -> None:
        del self.logs[key], self.labels[key]
        self._note("retire", key)

    def _note(self, what: str, key: str) -> None:
        self.calls.append((what, key))
        self._told.set()

    @property
    def keys(self) -> set[str]:
        return set(self.logs)

    def told(self, what: str, key: str) -> int:
        return self.calls.count((what, key))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_SECS):
            while not holds():
                self._told.clear()
                await self._told.wait()

    async def until_keys(self, *keys: str) -> None:
        await self.until(lambda: self.keys == set(keys))


@asynccontextmanager
async def running(source: Source) -> AsyncIterator[Recorder]:
    recorder = Recorder()
    task = asyncio.create_task(source.run(recorder))
    try:
        yield recorder
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
        source.context.world.offload.close()


def container(root: Path, pod: str, name: str = "app") -> Path:
    """The directory of a container's logs, as the kubelet makes it."""
    directory = root / pod / name
    directory.mkdir(parents=True)
    return directory


def rotate(live: Path, suffix: str) -> None:
    """As the kubelet and the runtime do: rename, then a new file."""
    os.rename(live, f"{live}.{suffix}")
    live.touch()
