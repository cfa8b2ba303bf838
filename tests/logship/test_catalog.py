"""Which routes read an origin, from which byte on, and when that is decided."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from logship_debug.null import Null, NullConfig

from logship.api import Context, Labels, LogFile, Origin
from logship.catalog import Entry, Origins
from logship.checkpoint import Checkpoint
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.routes.match import Match
from logship.routes.route import Route
from logship.routes.routing import RouteRule
from logship.source_catalog import SourceCatalog
from logship.tail.feed import DiskFeed
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world
from logship.wishes import METADATA_GRACE_SECS

KEY = "c/uid/app/0"
LOG = logging.getLogger("test")


class Stage:
    """Two routes over one source: annotated pods to `app`, all others to `rest`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.world = virtual_world()
        self.checkpoint = Checkpoint(str(directory / "state"), self.world, LOG)
        self.checkpoint.load()
        rules = [
            RouteRule("app", frozenset({"s"}), Match(annotations={"logship/route": "app"})),
            RouteRule("rest", frozenset({"s"})),
        ]
        self.origins = Origins(
            [(rule, self.route(rule.name)) for rule in rules], self.checkpoint,
            lambda route, source: EPOCH_NS, self.world, LOG,
        )  # fmt: skip
        self.origins.begin()
        self.waiting: list[Entry] = []
        self.catalog = SourceCatalog("s", self.origins, self.waiting.append, self.world, LOG)

    def route(self, name: str) -> Route:
        clock, counters, budget = self.world.clock, RouteCounters(), Budget(1 << 20)
        letters = DeadLetters(str(self.directory / "dead"), 1 << 20, 60, self.world)
        sink = Null(NullConfig(), Context("null", self.world, LOG))
        sender = Sender(sink, budget, letters, counters, clock, LOG)
        return Route(name, sender, (), budget, counters, clock, LOG)

    def add(self, *, known: bool = False) -> None:
        log = LogFile(str(self.directory), "0.log")
        self.catalog.add(Origin(KEY, Labels({"source": "s"}, known)), log)

    async def bound(self) -> list[str]:
        for entry in self.waiting + self.origins.undecided():
            await self.origins.bind(entry)
        return list(self.origins.entries[KEY].bindings)

    async def texts(self, route: str) -> list[str]:
        feed = self.origins.entries[KEY].bindings[route].feed
        assert isinstance(feed, DiskFeed)
        batch = await feed.take(1 << 20)
        return list(batch.rows.texts) if batch else []


def on_stage(tmp_path: Path, work: Callable[[Stage], Awaitable[None]]) -> None:
    async def go() -> None:
        await work(Stage(tmp_path))

    run_virtual(go())


def five_files(directory: Path) -> None:
    for number in range(4):
        path = directory / f"0.log.2026112{number}-000000"
        path.write_bytes(cri_line("old", time_ns=EPOCH_NS + number))
    (directory / "0.log").write_bytes(cri_line("new", time_ns=EPOCH_NS + 9))


def test_a_busy_container_waits_for_its_metadata_when_the_agent_starts(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        five_files(tmp_path)
        stage.add()
        assert await stage.bound() == []
        await asyncio.sleep(METADATA_GRACE_SECS / 2)
        assert await stage.bound() == []
        stage.catalog.update(KEY, Labels({"source": "s"}))
        assert await stage.bound() == ["rest"]

    on_stage(tmp_path, work)


def test_on_unknown_decides_only_when_rotation_is_near_and_the_grace_is_over(
    tmp_path: Path,
) -> None:
    async def work(stage: Stage) -> None:
        (tmp_path / "0.log").write_bytes(cri_line("one"))
        stage.add()
        await asyncio.sleep(METADATA_GRACE_SECS * 3)
        assert await stage.bound() == []
        five_files(tmp_path)
        assert await stage.bound() == ["app"]
        assert stage.origins.unknown_decided == 1

    on_stage(tmp_path, work)


def test_start_from_rules_only_what_was_there_at_the_first_start(tmp_path: Path) -> None:
    old = cri_line("old", time_ns=EPOCH_NS - 10**9) + cri_line("new", time_ns=EPOCH_NS + 1)

    async def first_start(stage: Stage) -> None:
        (tmp_path / "0.log").write_bytes(old)
        stage.add(known=True)
        await stage.bound()
        assert await stage.texts("rest") == ["new"]
        stage.checkpoint.update(*stage.origins.standing(everything=True))
        await stage.checkpoint.save()

    async def appeared_later(stage: Stage) -> None:
        (tmp_path / "0.log").write_bytes(old)
        stage.catalog.complete()
        stage.add(known=True)
        await stage.bound()
        assert await stage.texts("rest") == ["old", "new"]

    async def appeared_while_away(stage: Stage) -> None:
        stage.catalog.add(
            Origin("c/other/app/0", Labels({"source": "s"})), LogFile(str(tmp_path), "0.log")
        )
        await stage.origins.bind(stage.waiting[0])
        feed = stage.origins.entries["c/other/app/0"].bindings["rest"].feed
        batch = await feed.take(1 << 20)
        assert batch is not None
        assert list(batch.rows.texts) == ["old", "new"]

    on_stage(tmp_path, appeared_later)
    on_stage(tmp_path, first_start)
    on_stage(tmp_path, appeared_while_away)
