"""An origin that is followed on virtual time, with notices that are real, silent or missing."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from logship.origin import Labels, LogFile, Origin
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.tail.pulse import IDLE_SECS, REST_SECS, Pulse
from logship.testing import cri_line
from logship.testing.virtual_time import VirtualClock, virtual_world
from logship.world import Disk, Stat, World
from logship.world.notices import Inotify, Notices

AT_REST_SECS = REST_SECS + 2 * IDLE_SECS
SOON_SECS = 0.001


class CountingDisk(Disk):
    """Counts looks at open files."""

    looks = 0

    def fstat(self, fd: int) -> Stat:
        self.looks += 1
        return super().fstat(fd)


class Silent(Notices):
    """Claims to watch, and never tells."""

    def __init__(self, taken: list[int] | None = None) -> None:
        self.taken: list[int] | None = taken if taken is not None else []
        self.number = 0

    def start(self, on_notice: Callable[[], None]) -> None:
        self.on_notice = on_notice

    def watch(self, fd: int) -> int | None:
        self.number += 1
        return self.number

    def unwatch(self, number: int) -> None: ...

    def take(self) -> list[int] | None:
        return self.taken

    def close(self) -> None: ...


def none_left() -> Notices:
    raise OSError("no instances are left")


@dataclass
class Origin1:
    """An origin that is followed, and whose feed reads whatever it is told of."""

    path: Path
    world: World
    disk: CountingDisk
    pulse: Pulse
    follower: Follower
    feed: DiskFeed
    found: list[str]

    async def read(self) -> None:
        while (batch := await self.feed.take(1 << 18)) is not None:
            self.found += batch.rows.texts
            self.feed.settle(batch)

    def write(self, text: str, tag: str = "F") -> None:
        with self.path.open("ab") as file:
            file.write(cri_line(text, tag=tag))

    async def secs_until_found(self, count: int) -> float:
        clock = self.world.clock
        began = clock.now()
        while len(self.found) < count and clock.now() - began < 100:
            await clock.sleep(SOON_SECS)
        return clock.now() - began


@asynccontextmanager
async def followed(
    directory: Path, open_notices: Callable[[], Notices] = Inotify, key: str = "0"
) -> AsyncIterator[Origin1]:
    path = directory / "0.log"
    path.write_bytes(cri_line("first"))
    real = virtual_world()
    disk = CountingDisk(real.offload)
    world = World(VirtualClock(), disk, real.offload)
    origin = Origin(key, Labels({}))
    follower = Follower(origin, LogFile(str(directory), "0.log"), world, logging.getLogger("test"))
    follower.refresh()
    ready = asyncio.Event()
    feed = DiskFeed("r", follower, world, None, ready.set, lambda loss: None)
    follower.feeds.append(feed)
    pulse = Pulse(world.clock, disk, open_notices)
    one = Origin1(path, world, disk, pulse, follower, feed, [])

    async def reader() -> None:
        while True:
            await one.read()
            ready.clear()
            await ready.wait()

    tasks = [asyncio.ensure_future(work) for work in (reader(), pulse.run())]
    pulse.add(follower)
    try:
        yield one
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        follower.close()
