"""An agent without sinks on virtual time and real files: origins, feeds, positions, held files."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from logship.batch import Batch
from logship.catalog import Origins
from logship.checkpoint import Checkpoint
from logship.config import HeldConfig
from logship.counters import RouteCounters
from logship.delivery.limits import Budget
from logship.origin import Labels, LogFile, Origin
from logship.routes.route import Route
from logship.routes.routing import RouteRule
from logship.source_catalog import SourceCatalog
from logship.tail.feed import DiskFeed
from logship.tail.held import Held
from logship.tail.loss import Loss, Reason
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, InlineOffload, VirtualClock, run_virtual
from logship.world import Disk, Space, World

LOG = logging.getLogger("held")


class TestDisk(Disk):
    """The real disk; how full it is and how many files may be open can be said."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__(InlineOffload())
        self.full: Space | None = None
        self.limit = 1 << 16
        self.open_fds: set[int] = set()
        self.fstats = 0

    def space(self, fd: int) -> Space:
        return self.full or Space(100 << 30, 90 << 30)

    def max_open_files(self) -> int:
        return self.limit

    def open(self, path: str, roots: Sequence[str] = ()) -> int:
        fd = super().open(path, roots)
        self.open_fds.add(fd)
        return fd

    def close(self, fd: int) -> None:
        super().close(fd)
        self.open_fds.remove(fd)


class NoSender:
    paused_secs = 0.0
    in_flight = 0


class Agent:
    """Routes by name; all read all origins."""

    def __init__(self, directory: Path, *routes: str, limit: int = 1 << 16, **held: float) -> None:
        self.disk = TestDisk()
        self.disk.limit = limit
        self.world = World(VirtualClock(), self.disk, InlineOffload())
        self.directory = directory
        self.checkpoint = Checkpoint(str(directory / "state"), self.world, LOG)
        self.checkpoint.load()
        rules = [RouteRule(name, frozenset({"s"}), goes_on=True) for name in routes or ("r",)]
        self.routes = {rule.name: self._route(rule.name) for rule in rules}
        self.origins = Origins(
            [(rule, self.routes[rule.name]) for rule in rules], self.checkpoint,
            lambda route, source: 0, self.world, LOG,
        )  # fmt: skip
        self.origins.begin()
        self.losses: dict[str, list[Loss]] = {name: [] for name in self.routes}
        self._note_losses()
        self.held = Held(HeldConfig(**held), self.disk)
        self.catalog = SourceCatalog("s", self.origins, lambda entry: None, self.world, LOG)

    def _route(self, name: str) -> Route:
        return Route(name, NoSender(), (), Budget(1 << 24), RouteCounters(), self.world.clock, LOG)  # type: ignore[arg-type]

    def _note_losses(self) -> None:
        say = self.origins.loss_log.say

        def noted(route: str, origin: Origin, loss: Loss) -> None:
            self.losses[route].append(loss)
            say(route, origin, loss)

        self.origins.loss_log.say = noted  # type: ignore[method-assign]

    def add(self, pod: str) -> None:
        """As a source does that has seen the directory of the pod's log."""
        directory = self.directory / pod
        labels = Labels({"source": "s", "namespace": "shop", "pod": pod, "container": "app"})
        self.catalog.add(Origin(pod, labels), LogFile(str(directory), "0.log"))

    async def bind(self) -> None:
        for entry in self.origins.undecided():
            await self.origins.bind(entry)

    def feed(self, pod: str, route: str = "r") -> DiskFeed:
        feed = self.origins.entries[pod].bindings[route].feed
        assert isinstance(feed, DiskFeed)
        return feed

    async def look(self, secs: float = 1.1, *, held: bool = True) -> None:
        """Time passes, and the agent looks at all files, as it does once a second."""
        await asyncio.sleep(secs)
        for follower in self.origins.followers():
            with suppress(OSError):
                follower.refresh()
                follower.poll()
        if held:
            self.held.look(self.origins.followers())

    async def take(self, pod: str, route: str = "r", size: int = 1 << 18) -> list[Batch]:
        """All there is now; nothing is settled."""
        feed, found = self.feed(pod, route), []
        for _ in range(200):
            batch = await feed.take(size)
            if batch is not None:
                found.append(batch)
        return found

    async def deliver(self, pod: str, route: str = "r") -> list[str]:
        """The texts of all there is now, settled."""
        texts: list[str] = []
        for batch in await self.take(pod, route):
            texts += batch.rows.texts
            self.feed(pod, route).settle(batch)
        return texts

    async def save(self) -> None:
        self.checkpoint.update(*self.origins.standing(everything=True), last=True)
        await self.checkpoint.save()

    async def kill(self) -> None:
        """It saves what it would have saved a moment before, and is gone."""
        await self.save()
        self.origins.close()

    def lost(self, route: str = "r") -> list[tuple[Reason, int, bool]]:
        return [(loss.reason, loss.bytes, loss.exact) for loss in self.losses[route]]


def lines(first: int, count: int) -> bytes:
    """Rows of 100 bytes, named by their number, a second apart."""
    return b"".join(
        cri_line(str(n).ljust(100 - len(cri_line("", time_ns=at(n))), "."), time_ns=at(n))
        for n in range(first, first + count)
    )


def at(row: int) -> int:
    """The time of a row, in ns."""
    return EPOCH_NS + row * 1_000_000_000


def numbers(texts: Sequence[str]) -> list[int]:
    return [int(text.rstrip(".")) for text in texts]


def rotate(directory: Path, number: int, content: bytes) -> Path:
    """The live file is renamed, and a new one begun; where the old one is now."""
    rotated = directory / f"0.log.20261123-{number:06d}"
    (directory / "0.log").rename(rotated)
    (directory / "0.log").write_bytes(content)
    return rotated


def on_agent(
    tmp_path: Path, work: Callable[[Agent], Awaitable[None]], *routes: str,
    limit: int = 1 << 16, **held: float,
) -> None:  # fmt: skip
    async def go() -> None:
        await work(Agent(tmp_path, *routes, limit=limit, **held))

    run_virtual(go())
