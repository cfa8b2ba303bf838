"""When it is decided how an origin is cut, where its metadata may say so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from logship_debug.null import Null, NullConfig

from logship.api import Context, Labels, LogFile, Origin, Wish
from logship.catalog import Origins
from logship.checkpoint import Checkpoint
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.routes.match import Match
from logship.routes.route import Route
from logship.routes.routing import RouteRule
from logship.rows.index import Cutting
from logship.rows.joins import Joins
from logship.source_catalog import SourceCatalog
from logship.tail.feed import DiskFeed
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.wishes import METADATA_GRACE_SECS

KEY = "c/uid/app/0"
LOG = logging.getLogger("test")
TRACE = ["java.lang.IllegalStateException: boom", "\tat a.B.c(B.java:1)", "2026 INFO after"]
JOINED = ["\n".join(TRACE[:2]), TRACE[2]]


def wish(labels: Labels) -> Wish:
    """Traces are joined where the label `join` says so."""
    return Wish(Cutting(joins=Joins(("java",)) if labels.get("join") else None))


class Stage:
    """One route that needs no metadata, over a source that expects some."""

    def __init__(self, directory: Path) -> None:
        self.world = world = virtual_world()
        checkpoint = Checkpoint(str(directory / "state"), world, LOG)
        counters, budget = RouteCounters(), Budget(1 << 20)
        letters = DeadLetters(str(directory / "dead"), 1 << 20, 60, world)
        sink = Null(NullConfig(), Context("null", world, LOG))
        sender = Sender(sink, budget, letters, counters, world.clock, LOG)
        route = Route("r", sender, (), budget, counters, world.clock, LOG)
        rule = RouteRule("r", frozenset({"s"}), Match())
        self.origins = Origins([(rule, route)], checkpoint, lambda r, s: 0, world, LOG)
        self.origins.begin()
        self.catalog = SourceCatalog("s", self.origins, lambda entry: None, world, LOG)
        (directory / "0.log").write_bytes(b"".join(map(cri_line, TRACE)))
        log = LogFile(str(directory), "0.log", wish=wish)
        self.catalog.add(Origin(KEY, Labels({"source": "s"}, known=False)), log)

    async def texts(self) -> list[str] | None:
        """The rows of the first batch; None while the origin is left unread."""
        entry = self.origins.entries[KEY]
        await self.origins.bind(entry)
        if not entry.bindings:
            return None
        feed = entry.bindings["r"].feed
        assert isinstance(feed, DiskFeed)
        batch = await feed.take(1 << 20)
        return list(batch.rows.texts) if batch else []

    def tell(self, **labels: str) -> None:
        self.catalog.update(KEY, Labels({"source": "s", **labels}))


def on_stage(tmp_path: Path, work: Callable[[Stage], Awaitable[None]]) -> None:
    async def go() -> None:
        await work(Stage(tmp_path))

    run_virtual(go())


def test_an_origin_is_not_read_before_its_metadata_says_how_it_is_cut(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        assert await stage.texts() is None
        await asyncio.sleep(METADATA_GRACE_SECS - 1)
        assert await stage.texts() is None
        stage.tell(join="java")
        assert await stage.texts() == JOINED

    on_stage(tmp_path, work)


def test_metadata_that_does_not_come_leaves_the_options_of_the_source(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await asyncio.sleep(METADATA_GRACE_SECS)
        assert await stage.texts() == TRACE

    on_stage(tmp_path, work)


def test_metadata_that_comes_later_changes_nothing_any_more(tmp_path: Path) -> None:
    async def work(stage: Stage) -> None:
        await asyncio.sleep(METADATA_GRACE_SECS)
        assert await stage.texts() == TRACE
        stage.tell(join="java")
        follower = stage.origins.entries[KEY].follower
        with (tmp_path / "0.log").open("ab") as file:
            file.write(b"".join(map(cri_line, TRACE)))
        assert follower is not None
        follower.poll()
        assert await stage.texts() == TRACE

    on_stage(tmp_path, work)
