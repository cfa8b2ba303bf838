"""One container's log, one route on it, and its lag."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from logship.batch import Batch
from logship.origin import Labels, LogFile, Origin, Rotation
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.lag import Lag
from logship.routes.meter import Meter
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world

SEC = 1_000_000_000
MIB = 1 << 20
LABELS = Labels({"source": "containers", "namespace": "shop"})


class Awake:
    def ready(self, binding: Binding) -> None: ...


class Stage:
    """One container's log, one route on it."""

    def __init__(self, directory: Path, format: str = "cri") -> None:
        self.directory, self.world = directory, virtual_world()
        self.live = directory / "0.log"
        rotation, cutting = Rotation(10 * MIB, 5), Cutting(format)
        log = LogFile(str(directory), "0.log", cutting, rotation=rotation)
        self.follower = Follower(
            Origin("c/uid/app/0", LABELS), log, self.world, logging.getLogger("test")
        )
        self.feed = DiskFeed("r", self.follower, self.world, None, lambda: None, lambda loss: None)
        self.follower.feeds.append(self.feed)
        self.binding = Binding(self.feed, Selection(), Awake())
        self.meter = Meter()
        self.look()

    def look(self) -> None:
        self.follower.refresh()
        self.follower.poll()

    def write(self, content: bytes) -> None:
        with self.live.open("ab") as file:
            file.write(content)
        self.look()

    def rotate(self, number: int) -> None:
        self.live.rename(self.directory / f"0.log.{number}")
        self.look()

    async def take(self, max_bytes: int = 262_144) -> Batch | None:
        batch = await self.feed.take(max_bytes)
        if batch is not None:
            self.binding.read_bytes += batch.size()
        return batch

    def tick(self, *waiting: Binding) -> None:
        self.meter.tick(self.world.clock.now(), waiting)

    async def lag(self) -> Lag:
        return (await self.meter.lag([self.binding], self.world)).all


def on_stage(
    directory: Path, work: Callable[[Stage], Awaitable[None]], format: str = "cri"
) -> None:
    async def go() -> None:
        stage = Stage(directory, format)
        try:
            await work(stage)
        finally:
            stage.follower.close()

    run_virtual(go())


def at(secs: float, text: str = "x", **more: object) -> bytes:
    return cri_line(text, time_ns=EPOCH_NS + int(secs * SEC), **more)  # type: ignore[arg-type]
