"""Containers' logs on the real disk, a route that may shed, a sink that refuses when told to."""

import asyncio
import json
import logging
import random
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import msgspec

from logship.api import DELIVERED, Batch, Context, Outcome, Refused, Retry, Sink
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.origin import Labels, LogFile, Origin, Rotation
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.routes.shed_options import ShedConfig, ShedRule
from logship.routes.shedding import Shedding
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests import conservation

LOG = logging.getLogger("test.shed")
DEBUG = ShedRule(name="debug", severity="DEBUG")
INFO = ShedRule(name="info", severity="INFO")
QUOTA = ShedConfig(
    rules=(DEBUG, INFO), throttled_secs=5.0, rotation_risk_secs=None, escalate_after_secs=10.0,
    calm_secs=20.0,
)  # fmt: skip
START_NS = 1_795_000_000_000_000_000


def said(severity: str, text: str) -> str:
    return json.dumps({"severity": severity, "message": text})


class Quota(Sink):
    """Refuses for quota, fails, or takes: whatever it is told. Each row comes under its id."""

    config = msgspec.Struct
    request_bytes = 64 * 1024

    def __init__(self, context: Context) -> None:
        super().__init__(msgspec.Struct(), context)
        self.mood = "takes"
        self.arrived: dict[str, str] = {}
        self.copies = 0
        self.batches: list[Batch] = []
        self.poison = "\0"

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        await asyncio.sleep(0.05)
        if self.mood == "refuses":
            raise Retry("quota exceeded", throttled=True)
        if self.mood == "fails":
            raise Retry("503")
        refused = []
        for number, batch in enumerate(batches):
            self.batches.append(batch)
            for row, (row_id, text) in enumerate(zip(batch.ids(), batch.rows.texts, strict=True)):
                self.copies += row_id in self.arrived
                if self.poison in text:
                    refused.append(Refused(number, row, "poison"))
                else:
                    self.arrived[row_id] = text
        return Outcome(tuple(refused)) if refused else DELIVERED

    @property
    def summaries(self) -> list[str]:
        return [m for text in self.arrived.values() if (m := message(text)).startswith("logship ")]

    @property
    def texts(self) -> list[str]:
        """Of rows that applications wrote."""
        every = [message(text) for text in self.arrived.values()]
        return [text for text in every if not text.startswith("logship ")]

    def announced(self, severity: str) -> int:
        """So many rows, it says, were dropped."""
        told = r"logship dropped ([\d,]+) rows? of severity " + severity
        found = (re.match(told, text) for text in self.summaries)
        return sum(int(match[1].replace(",", "")) for match in found if match)


def message(text: str) -> str:
    return str(json.loads(text)["message"]) if text.startswith("{") else text


class Container:
    """Its log, and the route's binding to it."""

    def __init__(self, stage: "Stage", name: str, namespace: str, rotation: Rotation | None):
        self.stage, self.directory = stage, stage.directory / name
        self.directory.mkdir(exist_ok=True)
        self.path = self.directory / "0.log"
        self.path.touch()
        labels = {"namespace": namespace, "pod": name, "container": "app", "source": "s"}
        origin = Origin(f"c/{name}/app/0", Labels(labels))
        log = LogFile(str(self.directory), "0.log", Cutting(), rotation=rotation)
        self.follower = Follower(origin, log, stage.world, LOG)
        self.follower.refresh()
        self.feed = DiskFeed("r", self.follower, stage.world, None, lambda: None, stage.lose)
        self.follower.feeds.append(self.feed)
        self.binding = Binding(self.feed, Selection(), stage.route)
        self.binding.due, self.feed.on_ready = self.feed.due, self.binding.wake
        stage.route.add(self.binding)
        self.count = 0

    def write(self, *texts: str) -> None:
        lines = []
        for text in texts:
            self.count += 1
            lines.append(cri_line(text, time_ns=self.stage.now_ns() + self.count))
        with self.path.open("ab") as file:
            file.write(b"".join(lines))
        self.look()

    def look(self) -> None:
        self.follower.refresh()
        self.follower.poll()
        self.binding.wake()

    def settled_all(self) -> bool:
        at = self.feed.committed
        return self.feed.settled and at is not None and at.offset == self.path.stat().st_size


class Stage:
    def __init__(
        self, directory: Path, options: ShedConfig | None = QUOTA, memory: int = 4 << 20
    ) -> None:
        self.directory, self.world, self.options = directory, virtual_world(), options
        clock = self.world.clock
        self.counters, self.budget = RouteCounters(), Budget(memory)
        self.sink = Quota(Context("out", self.world, LOG))
        letters = DeadLetters(str(directory / "dead"), 1 << 20, 3600, self.world)
        self.sender = Sender(self.sink, self.budget, letters, self.counters, clock, LOG)
        self.route = Route(
            "r", self.sender, (), self.budget, self.counters, clock, LOG, self.sink.request_bytes
        )
        if options is not None:
            self.route.shedding = Shedding(self.route, "out", options)
        self.containers: list[Container] = []
        self.lost = 0
        self._tasks: list[asyncio.Future[None]] = []

    def lose(self, loss: object) -> None:
        self.lost += 1

    def now_ns(self) -> int:
        return START_NS + int(self.world.clock.now() * 1e9)

    @property
    def shedding(self) -> Shedding:
        assert self.route.shedding is not None
        return self.route.shedding

    def container(
        self, name: str, namespace: str = "shop", rotation: Rotation | None = None
    ) -> Container:
        self.containers.append(Container(self, name, namespace, rotation))
        return self.containers[-1]

    def start(self) -> None:
        work = [self.route.pull(), self.sender.run(), self._look()]
        self._tasks = [asyncio.ensure_future(one) for one in work]

    async def _look(self) -> None:
        while True:
            self.route.measure(self.world)
            for container in self.containers:
                container.look()
            conservation.check()
            assert self.budget.held <= self.budget.max_bytes + (1 << 20)
            await asyncio.sleep(1)

    async def run(self, secs: float, each: Callable[[], None] | None = None) -> None:
        """`each`: done every second."""
        for _ in range(int(secs)):
            if each is not None:
                each()
            await asyncio.sleep(1)
            for task in self._tasks:
                assert not task.done(), task.exception()

    async def stop_reading(self) -> None:
        self._tasks[0].cancel()
        await asyncio.gather(self._tasks[0], return_exceptions=True)
        self._tasks = self._tasks[1:]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def dropped(self, rule: str) -> int:
        return self.counters.dropped_rows[f"shed:{rule}"]


def on_stage(
    stage: Callable[[], Stage], work: Callable[[Stage], Awaitable[None]], seed: int = 1
) -> Stage:
    async def go() -> Stage:
        random.seed(seed)  # jitter
        made = stage()
        made.start()
        await work(made)
        await made.stop()
        return made

    return run_virtual(go())


class Writer:
    """Rows of each severity, every second."""

    def __init__(self, app: Container, *severities: str, rows: int = 5, size: int = 0) -> None:
        self.app, self.severities, self.rows, self.size = app, severities, rows, size
        self.written = 0
        """Of each severity."""

    def __call__(self) -> None:
        for severity in self.severities:
            numbers = range(self.written, self.written + self.rows)
            text = "x" * self.size
            self.app.write(*(said(severity, f"{severity} {n} {text}") for n in numbers))
        self.written += self.rows


def arrived(stage: Stage, severity: str) -> int:
    return sum(text.startswith(f"{severity} ") for text in stage.sink.texts)
