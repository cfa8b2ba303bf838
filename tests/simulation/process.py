"""One life of the agent: the real pipeline, from its start to its end."""

import asyncio
import json
import logging
import random
from asyncio.events import _set_running_loop
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from logship_transforms.grep import Grep

from logship.checkpoint import FILE_NAME
from logship.config import Config, load
from logship.journal import HEADER, ForeignFile, parse
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.tail.pulse import Pulse
from logship.testing.virtual_time import VirtualClock
from tests.simulation.disk import SimDisk, Weather
from tests.simulation.files import STATE, Files, Node
from tests.simulation.loop import SimLoop
from tests.simulation.notices import SimNotices
from tests.simulation.scenario import RoutePlan, Scenario
from tests.simulation.sinks import SimSink
from tests.simulation.source import SimSource
from tests.simulation.threads import SimOffload
from tests.simulation.watching import Life, SimWorld

JOURNAL = f"{STATE}/{FILE_NAME}"
EXPECTED = ("a bug in sink",)
"""What it may say of a sink that was told to break."""
_BURIAL_ROUNDS = 20
_BURIAL_STEPS = 20_000


class _Listener(logging.Handler):
    def __init__(self, process: "Process") -> None:
        super().__init__(logging.INFO)
        self._process = process

    def emit(self, record: logging.LogRecord) -> None:
        life, message = self._process.life, record.getMessage()
        if not life.alive:
            return
        life.trace("says", record.levelname, message)
        if "a bug" in message and not message.startswith(EXPECTED):
            life.truth.problem(logging.Formatter().format(record))


class Process:
    def __init__(
        self, plan: Scenario, life: Life, files: Files, weather: Weather, chance: random.Random
    ) -> None:
        self.life, self._files = life, files
        self.started_at = life.time.now
        self.loop = SimLoop(life.time)  # type: ignore[abstract]  # no sockets, no signals
        self.disk = SimDisk(files, weather, chance)
        offload = SimOffload(self.disk, weather, chance)
        self.disk.on_durable = self._durable
        self.check_saved()
        with self.running():
            world = SimWorld(VirtualClock(), self.disk, offload, life)
            self.pipeline = Pipeline(
                _config(plan.routes, plan.memory_bytes, plan.request_bytes), world, self._logger()
            )
            self._notices = SimNotices(self.disk)
            self.pipeline.origins.pulse = Pulse(world.clock, self.disk, self._open_notices)
            self._watched = plan.watched
            self.stop = asyncio.Event()
            self.task = self.loop.create_task(self.pipeline.run(self.stop))

    def _logger(self) -> logging.Logger:
        logger = logging.getLogger("logship.simulation")  # a registered one: it has children
        logger.propagate = False
        logger.setLevel(logging.INFO)
        logger.handlers = [_Listener(self)]
        return logger

    def _open_notices(self) -> SimNotices:
        if not self._watched:
            raise OSError(24, "no inotify")
        return self._notices

    @contextmanager
    def running(self) -> Iterator[None]:
        """Whatever may wake a task of it."""
        _set_running_loop(self.loop)
        try:
            yield
        finally:
            _set_running_loop(None)

    def touched(self, node: Node) -> None:
        self._notices.touched(node)

    def kill(self) -> None:
        """Whatever it was doing, nothing more is done; its tasks are buried out of sight."""
        self.life.alive = False
        self.disk.end()
        with self.running():
            for _ in range(_BURIAL_ROUNDS):
                tasks = [task for task in self.loop.tasks() if not task.done()]
                for task in tasks:
                    task.cancel()
                steps = 0
                while steps < _BURIAL_STEPS and self.loop.step():
                    steps += 1
                if not tasks:
                    return

    def ended(self) -> None:
        """By itself: as told, or by an error."""
        error = None if self.task.cancelled() else self.task.exception()
        if error is not None or not self.stop.is_set():
            self.life.truth.problem(f"the agent ended: {error!r}")
        self.life.alive = False
        self.disk.end()

    # The state directory

    def _durable(self, path: str, content: bytes) -> None:
        self.life.note("state", path, len(content))
        if path == JOURNAL:
            self._check(content if content.startswith(HEADER) else HEADER + content)
        elif path.endswith(".jsonl"):
            for line in content.splitlines():
                row = json.loads(line)
                self.life.truth.arrived(
                    row["route"], row["id"], row["text"], row["time"], row["stream"]
                )

    def check_saved(self) -> None:
        """Every position that this process finds."""
        journal = self._files.find(JOURNAL)
        if journal is not None:
            self._check(bytes(journal.content))

    def _check(self, content: bytes) -> None:
        try:
            positions = parse(content).positions
        except ForeignFile:
            return  # torn in its first line
        for key, saved in positions.items():
            if key.origin:
                self.life.truth.saved(key.route, key.origin, saved.position)


@cache
def _config(routes: tuple[RoutePlan, ...], memory_bytes: int, request_bytes: int) -> Config:
    """The text of a configuration, read as any other."""
    registry = Registry()
    registry.add("simulated", SimSource)
    registry.add("simulated", SimSink)
    registry.add("grep", Grep)
    sinks = sorted({route.sink for route in routes})
    drop = "transforms: [{type: grep, drop: {contains: drop}}], "
    lines = [
        "sources: {logs: {type: simulated}}",
        "routes:",
        *(
            f"- {{name: {route.name}, from: [logs], to: {route.sink}, {drop * route.drops}"
            f"{_shed(route)}{_when(route)}start_from: beginning,"
            f" continue: {_goes_on(route, routes)}}}"
            for route in routes
        ),
        "sinks:",
        *(f"  {name}: {{type: simulated, request_bytes: {request_bytes}}}" for name in sinks),
        f"state_dir: {STATE}",
        "cluster: test",
        "node: node-1",
        f"memory: {{max_bytes: {memory_bytes}}}",
        "drain_timeout_secs: 4",
    ]
    return load("\n".join(lines), file="simulation.yaml", env={}, registry=registry)


def _when(route: RoutePlan) -> str:
    return f"when: {{stream: {route.stream}}}, " if route.stream else ""


def _shed(route: RoutePlan) -> str:
    return route.shed.config() if route.shed else ""


def _goes_on(route: RoutePlan, routes: tuple[RoutePlan, ...]) -> str:
    return str(route.goes_on and route is not routes[-1]).lower()
