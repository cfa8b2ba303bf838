"""The real agent, built from a configuration, in a model's world: started, stopped, or killed."""

import asyncio
import logging
from dataclasses import dataclass, field
from pathlib import Path

from logship_tail.files import Files, FilesConfig
from logship_tail.kubernetes import Kubernetes, KubernetesConfig

from logship.api import Context
from logship.checkpoint import FILE_NAME
from logship.config import Config, load
from logship.journal import Key, Saved, parse
from logship.pipeline import Pipeline
from logship.registry import Registry
from tests.property.agent_model.inotify import ModelInotify
from tests.property.agent_model.sinks import Destination, Recording
from tests.property.agent_model.tree import Tree
from tests.property.agent_model.world import ModelDisk, model_world

CONFIG = """\
sources:
  logs: {source}
routes:
  - {{name: first, from: [logs], to: a, continue: true}}
  - {{name: second, from: [logs], to: b}}
sinks: {{a: {{type: recording}}, b: {{type: recording}}}}
state_dir: {state}
cluster: c
node: n
memory: {{max_bytes: {memory}}}
drain_timeout_secs: 4
"""
KUBERNETES = (
    "{{type: kubernetes, root: {root}, start_from: now, max_row_bytes: 1024, "
    "metadata: {{from: none}}}}"
)
FILES = "{{type: files, paths: ['{root}/*.log'], start_from: now, max_row_bytes: 1024}}"


@dataclass
class Choices:
    """What a run of the machine fixes at its beginning."""

    watched: bool = True
    """Whether inotify works; otherwise everything is looked at once a second."""
    memory: int = 64 << 20
    request_bytes: int = 1 << 20


@dataclass
class Told:
    """What the agents said, over all their lives."""

    lost: dict[tuple[str, str], int] = field(default_factory=dict)
    """Reports of loss by route and origin key."""
    errors: list[str] = field(default_factory=list)


class _Listener(logging.Handler):
    def __init__(self, told: Told) -> None:
        super().__init__(logging.INFO)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        words = message.split()
        if "lost" in words and words[0] == "route":
            named = [word.strip("():") for word in words]
            key = words[1], next((w for w in named if w.startswith(("c/", "n/"))), "?")
            self._told.lost[key] = self._told.lost.get(key, 0) + 1
        elif record.levelno >= logging.ERROR:
            text = logging.Formatter().format(record)
            self._told.errors.append(text)


class Agents:
    """One after the other, over the same state directory."""

    def __init__(
        self, tree: Tree, root: Path, state: Path, destinations: dict[str, Destination],
        choices: Choices, source: str = KUBERNETES,
    ) -> None:  # fmt: skip
        self._tree, self.told = tree, Told()
        self._inotify: ModelInotify | None = None
        self._choices = choices
        self.state = state
        text = CONFIG.format(source=source.format(root=root), state=state, memory=choices.memory)
        self._config = self._load(text, destinations)
        self._log = logging.getLogger("agent_model")
        self._log.propagate = False
        self._log.setLevel(logging.INFO)
        self._log.handlers = [_Listener(self.told)]
        self.pipeline: Pipeline | None = None
        self.disk: ModelDisk | None = None
        self._task: asyncio.Task[None] | None = None
        self.since = 0.0
        self.counted_losses = 0

    def _load(self, text: str, destinations: dict[str, Destination]) -> Config:
        agents = self

        class ModelKubernetes(Kubernetes):
            config = KubernetesConfig

            def __init__(self, config: KubernetesConfig, context: Context) -> None:
                super().__init__(config, context, open_inotify=agents._open_inotify)

        class ModelFiles(Files):
            config = FilesConfig

            def __init__(self, config: FilesConfig, context: Context) -> None:
                super().__init__(config, context, open_inotify=agents._open_inotify)

        recording = type("ModelRecording", (Recording,), {
            "destinations": destinations, "request_bytes": self._choices.request_bytes,
        })  # fmt: skip
        registry = Registry()
        registry.add("kubernetes", ModelKubernetes)
        registry.add("files", ModelFiles)
        registry.add("recording", recording)
        return load(text, file="model.yaml", env={}, registry=registry)

    def _open_inotify(self) -> ModelInotify:
        if not self._choices.watched:
            raise OSError(24, "told to fail")
        self._inotify = ModelInotify()
        self._tree.changed = self._inotify.changed
        return self._inotify

    async def start(self) -> None:
        world = model_world(self._tree)
        self.disk, self._tree.held = world.disk, world.disk.held
        self.pipeline = Pipeline(self._config, world.world, self._log)
        self.stop_event = asyncio.Event()
        self._task = asyncio.ensure_future(self.pipeline.run(self.stop_event))
        self.since = asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """As told by SIGTERM: it delivers what it has read."""
        assert self._task is not None
        self.stop_event.set()
        await asyncio.wait_for(self._task, 60)
        self._ended()

    async def crash(self, *, torn: bool) -> None:
        """As by SIGKILL; a line that was being written to the journal may be torn."""
        assert self.disk is not None
        self.disk.dead = True
        errors = list(self.complaints())
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=0.001)  # some take two: this is a kill
        journal = self.state / FILE_NAME
        if torn and journal.exists():
            journal.write_bytes(journal.read_bytes() + b'12345678 {"route":"first","ori')
        self._ended()
        self.told.errors = errors  # what it said while it died is no complaint

    def saved(self) -> dict[Key, Saved]:
        """The positions that the next agent will find."""
        journal = self.state / FILE_NAME
        return parse(journal.read_bytes()).positions if journal.exists() else {}

    def _ended(self) -> None:
        assert self.disk is not None
        assert self.pipeline is not None
        self.counted_losses += sum(r.counters.lost_events for r in self.pipeline.routes)
        self._watch_bugs()
        self.disk.end()
        self._tree.changed, self._tree.held = _ignore, set
        self.pipeline = self.disk = self._task = None

    def _watch_bugs(self) -> None:
        assert self.pipeline is not None
        for route in self.pipeline.routes:
            if route.counters.bugs:
                self.told.errors.append(f"a bug: {route.counters.last_error}")

    def complaints(self) -> list[str]:
        """What must never be."""
        if self._task is not None and self._task.done():
            self.told.errors.append(f"the agent ended: {self._task.exception()!r}")
        if self.pipeline is not None:
            self._watch_bugs()
        return self.told.errors


def _ignore(path: str) -> None:
    """Nobody watches."""
