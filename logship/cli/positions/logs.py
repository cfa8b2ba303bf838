"""The logs that a configuration reads on this machine, found as the agent finds them.

The sources look themselves, and the files are opened and named by the agent's own follower, so that
origins, generations and offsets are those that it will use. Brokers have no logs here, and are not
asked: only a source that has a `start_from` reads a disk.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from logship.api import LogFile, OpenFeed, Source
from logship.build import Builder, Misconfigured
from logship.cli.configuration import Written
from logship.cli.positions.saved import Unusable
from logship.config import Config, RouteConfig
from logship.origin import Labels, Origin
from logship.rows.address import Position
from logship.tail.follow import Follower
from logship.world import World

_LOOK_SECS = 60.0
_log = logging.getLogger("logship.positions")


@dataclass(frozen=True, slots=True)
class Log:
    source: str
    origin: Origin
    file: LogFile


class _Listing:
    """A catalog that only notes what it is told."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.logs: list[Log] = []
        self.whole = asyncio.Event()

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        if isinstance(log, LogFile):
            self.logs.append(Log(self._source, origin, log))

    def complete(self) -> None:
        self.whole.set()

    def update(self, key: str, labels: Labels) -> None: ...

    def touch(self, key: str) -> None: ...

    def retire(self, key: str) -> None: ...


async def logs_of(written: Written, names: Sequence[str], world: World) -> list[Log]:
    """Of these sources, in the order of their origins' keys. Raises Unusable."""
    builder = Builder(written.config, world)
    sources = [(name, builder.source(name, _log)) for name in names]
    try:
        builder.check()
    except Misconfigured as error:
        written.explain(*error.problems)
        raise Unusable(f"{written.file}: see above") from None
    logs = [await _look(name, source) for name, source in sources if source is not None]
    return sorted((log for some in logs for log in some), key=lambda log: log.origin.key)


async def _look(name: str, source: Source) -> list[Log]:
    listing = _Listing(name)
    running = asyncio.ensure_future(source.run(listing))
    whole = asyncio.ensure_future(listing.whole.wait())
    await asyncio.wait([running, whole], timeout=_LOOK_SECS, return_when="FIRST_COMPLETED")
    for task in (running, whole):
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
    if not listing.whole.is_set():
        raise Unusable(f"sources.{name}: its logs could not be listed in {_LOOK_SECS:.0f} s")
    return listing.logs


@contextmanager
def followed(log: Log, saved: Sequence[Position], world: World) -> Iterator[Follower]:
    """Its files, open. `saved`: where routes stand in it. Raises Unusable."""
    follower = Follower(log.origin, log.file, world, _log)
    follower.expect(saved)
    try:
        follower.refresh()
        yield follower
    except OSError as error:
        raise Unusable(f"{log.file.directory}: cannot be read: {error.strerror}") from None
    finally:
        follower.close()


def on_disk(config: Config, route: RouteConfig) -> list[str]:
    """Sources of the route that read logs of this machine."""
    return [n for n in route.from_ if hasattr(config.sources[n].options, "start_from")]


def routes_of(config: Config, names: Sequence[str] | None) -> list[RouteConfig]:
    """Those of these names (None: all) that read logs of this machine. Raises Unusable."""
    there = {route.name: route for route in config.routes}
    unknown = [name for name in names or () if name not in there]
    if unknown:
        known = ", ".join(there)
        raise Unusable(f"there is no route {unknown[0]}; the routes are: {known}")
    chosen = [there[name] for name in names] if names else list(config.routes)
    routes = [route for route in chosen if on_disk(config, route)]
    if not routes:
        raise Unusable("no route reads logs of this machine: there are no positions to exchange")
    return routes
