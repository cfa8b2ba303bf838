"""A source of directories, sinks that note what arrives, and a disk that can be slow."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from logship.api import (
    DELIVERED,
    Batch,
    Catalog,
    ConfigError,
    Context,
    Labels,
    LogFile,
    Origin,
    Outcome,
    Retry,
    Sink,
    Source,
    StartFrom,
)
from logship.testing.virtual_time import InlineOffload
from logship.world import Disk


@dataclass
class Destination:
    """What lies behind a sink."""

    rows: dict[str, list[str]] = field(default_factory=dict)
    """Texts by id, each time that one arrived."""
    starts: int = 0
    closes: int = 0
    fails: bool = False
    throttles: bool = False
    secs: float = 0.01

    @property
    def texts(self) -> list[str]:
        return [text for texts in self.rows.values() for text in texts]


class SlowDisk(Disk):
    """The real one; reads may take a while, as of files that are not in memory."""

    def __init__(self) -> None:
        super().__init__(InlineOffload())
        self.secs = 0.0
        self.reads = 0

    async def read(self, fd: int, size: int, offset: int) -> bytes:
        if self.secs:
            self.reads += 1
            await asyncio.sleep(self.secs)
        return await super().read(fd, size, offset)


class TreeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    root: str
    start_from: StartFrom = "beginning"
    exclude: tuple[str, ...] = ()
    known: bool = True


class Tree(Source):
    """Directories below a root, by looking: NAMESPACE_POD/0.log."""

    config = TreeConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, TreeConfig)
        self._config = config

    async def run(self, catalog: Catalog) -> None:
        seen: set[str] = set()
        while True:
            there = {
                path.name
                for path in Path(self._config.root).iterdir()
                if path.name.split("_")[0] not in self._config.exclude
            }
            for name in sorted(there - seen):
                namespace, pod = name.split("_")
                values = {"source": self.context.name, "namespace": namespace, "pod": pod}
                log = LogFile(f"{self._config.root}/{name}", "0.log")
                catalog.add(Origin(name, Labels(values, self._config.known)), log)
            for name in sorted(seen - there):
                catalog.retire(name)
            seen = there
            catalog.complete()
            await self.context.world.clock.sleep(0.1)


class NoteConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to: str
    version: int = 0
    on_start: str = ""
    fails_init: bool = False


class Note(Sink):
    """Notes what arrives."""

    config = NoteConfig
    request_bytes = 2000
    destinations: Mapping[str, Destination]

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, NoteConfig)
        if config.fails_init:
            raise ConfigError("fails_init", "told so")
        self._config, self._there = config, self.destinations[config.to]

    async def start(self) -> None:
        if self._config.on_start == "misconfigured":
            raise ConfigError("on_start", "told so")
        if self._config.on_start == "bug":
            raise ZeroDivisionError("told so")
        if self._config.on_start == "hangs":
            await asyncio.sleep(3600)
        self._there.starts += 1

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        await asyncio.sleep(self._there.secs)
        if self._there.fails:
            raise Retry("told to fail", throttled=self._there.throttles)
        for batch in batches:
            for id_, text in zip(batch.ids(), batch.rows.texts, strict=True):
                self._there.rows.setdefault(id_, []).append(text)
        return DELIVERED

    async def close(self) -> None:
        self._there.closes += 1
