"""A whole agent on virtual time over real files, whose configuration file changes.

Pods write rows with numbers; sinks note what arrives, and fail when they are told to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import yaml
from logship_transforms.add_labels import AddLabels
from logship_transforms.grep import Grep

from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.reload.reloader import Answer, Reloader
from logship.testing import cri_line
from logship.testing.virtual_time import InlineOffload, VirtualClock, run_virtual
from logship.world import World
from tests.logship.reload.reload_parts import Destination, Note, SlowDisk, Tree

LOG = logging.getLogger("reload")
Options = dict[str, object]


class Stage:
    def __init__(self, directory: Path, config: Options, *sinks: str) -> None:
        self.root = directory / "pods"
        self.root.mkdir(exist_ok=True)
        self.to = {name: Destination() for name in (*sinks, "out")}
        self._file, self._state = directory / "logship.yaml", directory / "state"
        self.registry = Registry()
        self.registry.add("tree", Tree)
        self.registry.add("note", type("NoteHere", (Note,), {"destinations": self.to}))
        self.registry.add("grep", Grep)
        self.registry.add("add_labels", AddLabels)
        self.written = 0
        text = self.write(config)
        file = str(self._file)
        found = load(text, file=file, env={}, registry=self.registry)
        self.disk = SlowDisk()
        self.agent = Pipeline(found, World(VirtualClock(), self.disk, InlineOffload()), LOG)
        self.reloader = Reloader(self.agent, file, text, {}, lambda: self.registry)
        self.stop = asyncio.Event()

    def write(self, config: Options | str) -> str:
        """The configuration file."""
        if not isinstance(config, str):
            config = yaml.safe_dump({"state_dir": str(self._state), **config}, sort_keys=False)
        self._file.write_text(config)
        return config

    async def reload(self, config: Options | str) -> Answer:
        self.write(config)
        return await self.reloader.reload()

    async def applied(self, config: Options) -> None:
        answer = await self.reload(config)
        assert answer.result == "applied", answer

    def read_slowly(self, secs: float) -> SlowDisk:
        self.disk.secs = secs
        return self.disk

    async def pass_secs(self, secs: float) -> None:
        await self.agent.world.clock.sleep(secs)

    def now(self) -> float:
        return self.agent.world.clock.now()

    def say(self, place: str, *texts: str, stream: str = "stdout") -> None:
        """A pod, NAMESPACE_POD, writes rows."""
        directory = self.root / place
        directory.mkdir(exist_ok=True)
        now = VirtualClock().wall_ns()
        lines = []
        for text in texts:
            self.written += 1  # each at a time of its own
            lines.append(cri_line(text, time_ns=now + self.written, stream=stream))
        with (directory / "0.log").open("ab") as file:
            file.write(b"".join(lines))

    def rotate(self, place: str) -> None:
        live = self.root / place / "0.log"
        live.rename(live.with_name(f"0.log.{VirtualClock().wall_ns()}"))

    def remove(self, place: str) -> None:
        for path in (self.root / place).iterdir():
            path.unlink()
        (self.root / place).rmdir()

    async def quiet(self, secs: float = 120.0) -> None:
        """Until everything that was read is delivered, and nothing is unread."""
        async with asyncio.timeout(secs):
            await asyncio.sleep(1.5)
            while any(route.waiting_bytes() or route.budget.held for route in self.agent.routes):
                await asyncio.sleep(0.1)
            while self.agent.origins.undecided():
                await asyncio.sleep(0.1)

    async def quiet_but(self, name: str) -> None:
        """The same of all routes but one."""
        await asyncio.sleep(1.5)
        others = [route for route in self.agent.routes if route.name != name]
        while any(route.waiting_bytes() or route.budget.held for route in others):
            await asyncio.sleep(0.1)

    async def running(self, work: Awaitable[None], *, at_once: bool = False) -> None:
        """`at_once`: before it has the state directory."""
        task = asyncio.ensure_future(self.agent.run(self.stop))
        try:
            if not at_once:
                await self.agent.reading.wait()
            await work
        finally:
            self.stop.set()
            await asyncio.wait_for(task, 60)


def on_stage(
    directory: Path, config: Callable[[Path], Options], work: Callable[[Stage], Awaitable[None]]
) -> Stage:
    """The agent runs with a configuration, while the work is done; then it is stopped."""

    async def go() -> Stage:
        stage = Stage(directory, config(directory / "pods"), "a", "b", "c")
        await stage.running(work(stage))
        return stage

    return run_virtual(go())


def configured(root: Path, routes: Sequence[Options], **more: object) -> Options:
    """With the sinks `a`, `b` and `c`."""
    return {
        "sources": {"pods": {"type": "tree", "root": str(root)}},
        "routes": [{"from": ["pods"], **route} for route in routes],
        "sinks": {name: {"type": "note", "to": name} for name in ("a", "b", "c")},
        **more,
    }
