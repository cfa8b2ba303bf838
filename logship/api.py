"""The complete plugin API. A plugin imports this module and nothing else of logship.

A source makes origins appear; a route pulls batches of them, passes them through transforms and
gives them to a sink; what the sink has made durable is settled. Components are found through entry
points (groups `logship.sources`, `logship.transforms`, `logship.sinks`). Each has a class attribute
`config`, a msgspec.Struct whose fields are the documentation of its options, and is built with an
instance of it and a `Context`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import msgspec

from logship.batch import Batch
from logship.finding import Finding, Level
from logship.origin import Labels, LogFile, Origin, Problem, Rotation, Wish
from logship.outcome import DELIVERED, Again, Altered, ConfigError, Outcome, Refused, Retry
from logship.routes.when import lookup, scalar_text
from logship.rows import kernel
from logship.rows.address import (
    Generation,
    Mark,
    Position,
    Span,
    id_low,
    id_prefix,
    id_tails,
    time_ns,
    time_text,
)
from logship.rows.encode import entries, escaped
from logship.rows.index import Cutting, index
from logship.rows.joins import Joins
from logship.rows.lines import is_time, line_count
from logship.rows.objects import Parsed, parse_object, told_by_texts
from logship.rows.rows import JsonObject, Rows
from logship.sample import NotRead, Preview, Sample
from logship.severity import DEFAULT_KEYS, OF_STREAM, keys_of, of_fields, of_glog, translate
from logship.units import StartFrom, parse_size
from logship.world import Clock, DirEntry, Disk, Offload, World

__all__ = [
    "DEFAULT_KEYS", "DELIVERED", "OF_STREAM", "Again", "Altered", "Batch", "Catalog", "Clock",
    "Component", "ConfigError", "Context", "Cutting", "DirEntry", "Disk", "Feed", "Finding",
    "Generation",
    "Joins", "JsonObject", "Labels", "Level", "LogFile", "Mark", "NotRead", "Offload", "OpenFeed",
    "Origin", "Outcome",
    "Parsed",
    "Position", "Preview", "Problem", "Refused", "Retry", "Rotation", "Rows", "Sample", "Sink",
    "Source", "Span",
    "StartFrom", "Transform", "Wish", "World", "entries", "escaped", "id_low", "id_prefix",
    "id_tails", "index", "is_time", "kernel", "keys_of", "line_count", "lookup", "of_fields",
    "of_glog", "parse_object", "parse_size", "scalar_text", "time_ns", "time_text",
    "told_by_texts", "translate",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Context:
    """What a component knows of where it runs."""

    name: str
    """As in the configuration: the key of the source or sink, the route's name of a transform."""
    world: World
    log: logging.Logger
    cluster: str = ""
    node: str = ""
    state_dir: str = ""


class Component:
    """What all plugins are: options and a context."""

    config: ClassVar[type[msgspec.Struct]]

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        """Raise ConfigError for what can be known to be wrong without any I/O."""
        self.context = context

    def check(self) -> Sequence[Finding]:
        """Whether this machine has what it needs: `logship check`. It only looks; may block.

        Called without `start` or `run`, perhaps beside an agent that runs.
        """
        return ()

    async def check_live(self) -> Sequence[Finding]:
        """Whether what it talks to is there and lets it in: `logship check --live`.

        Called without `start` or `run`. It stores nothing, and never raises for what it finds.
        """
        return ()


class Feed(Protocol):
    """One origin as one route reads it. Positions are its own."""

    origin: Origin

    def waiting(self) -> int | None:
        """Bytes not read yet: the exact lag; None where that cannot be known."""
        ...

    async def take(self, max_bytes: int) -> Batch | None:
        """The next rows, at most about `max_bytes` of log; None when there is nothing now."""
        ...

    def settle(self, batch: Batch) -> None:
        """All rows of the batch are delivered, dropped by a rule, or dead-lettered."""
        ...

    def release(self, batch: Batch) -> None:
        """Forget the batch; it is taken again later, with the same rows and ids."""
        ...

    def close(self) -> None:
        """Nobody takes from it any more; what is not settled is another feed's to give again."""
        ...


OpenFeed = Callable[[Callable[[], None]], Feed]
"""Opens a feed of a broker; it calls the given function whenever there may be something to take."""


class Catalog(Protocol):
    """Where a source tells what origins there are."""

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        """An origin appeared; adding a key again changes nothing."""
        ...

    def complete(self) -> None:
        """All that was there when the source started has been added; what comes now is new.

        `start_from` rules only what was there: what is new is read from its first byte. A source
        that is run again adds all again; what it has not added by now, it is taken not to want.
        """
        ...

    def update(self, key: str, labels: Labels) -> None:
        """Its labels changed. Routes are matched until the metadata they need is known."""
        ...

    def touch(self, key: str) -> None:
        """Something happened to its files: look at once."""
        ...

    def retire(self, key: str) -> None:
        """It will get no new bytes; it goes when everything is settled."""
        ...


class Source(Component):
    """Makes origins appear and retires them."""

    @classmethod
    def tells_metadata(cls, config: msgspec.Struct) -> bool:
        """Whether with these options its origins may have labels and annotations of a pod."""
        return True

    @classmethod
    def tells_namespace_labels(cls, config: msgspec.Struct) -> bool:
        """Whether with these options they may have the labels of the pod's namespace too."""
        return cls.tells_metadata(config)

    @classmethod
    def heeds_wishes(cls, config: msgspec.Struct) -> bool:
        """Whether with these options its origins may ask for a route by name (`LogFile.wish`)."""
        return cls.tells_metadata(config)

    async def run(self, catalog: Catalog) -> None:
        """Until cancelled."""
        raise NotImplementedError

    def sample(self, about: Labels) -> Sample:
        """The log that the labels describe, as this source would tell of it; no I/O.

        Labels may be missing: then they are made up. Raises NotRead.
        """
        own = {"source": self.context.name}
        labels = Labels({**about.values, **own}, about.known)
        return Sample(Origin(self.context.name, Labels(own)), Cutting(), labels)


class Transform(Component):
    """Changes batches. Pure: no clock, no I/O, no state."""

    def apply(self, batch: Batch) -> Batch:
        raise NotImplementedError


class Sink(Component):
    """Delivers batches of many origins."""

    request_bytes: int = 1024 * 1024
    """How much log the engine gathers for one write."""

    ships_blocks: bool = False
    """Whether it asks for the blocks of batches, and for their rows only now and then."""

    async def start(self) -> None:
        """Open connections. Raise ConfigError when a person must act first."""

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        """Make the rows durable. Raises Retry when the whole write must come again."""
        raise NotImplementedError

    async def close(self) -> None:
        """Give back what `start` opened; called after the last write has ended."""

    def preview(self, batch: Batch) -> Sequence[Preview] | None:
        """What `write` would send, by the same code, without I/O and before `start`.

        None: it does not tell. Whatever only Google knows (a project) is made up.
        """
        return None

    async def read_back(self, batches: Sequence[Batch]) -> Mapping[str, int] | None:
        """By id, how often these rows are at the destination now; between `start` and `close`.

        None: it cannot be read. Raises Retry when it cannot be read now, and says what to do.
        """
        return None
