"""When to look at the tree, and what to tell the catalog.

An event says where to look (a *place*: the part of the tree it concerns), the clock says when to
look everywhere; what is told follows from what was seen alone. A look that fails changes nothing:
only a directory that was read and lacks a log retires it, and only if a second look, `GONE_SECS`
later, does not see it either: a file that is renamed while a directory is read can be in it under
neither name. Looks run in a thread; after one that took long the next waits, so that a busy tree
costs at most a tenth of one thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from logship.api import Catalog, Context, Labels, LogFile
from logship_tail.complaints import Complaints
from logship_tail.sightings import Sighting, Snapshot, changes
from logship_tail.told import Told
from logship_tail.watching import Watcher

UNWATCHED_SCAN_SECS = 1.0
SCAN_SHARE = 1 / 400
"""Of the time, at most, for looking everywhere where events tell what happens anyway."""
MAX_SCAN_SECS = 30.0
"""Where that share would make it rarer."""
GATHER_SECS = 0.02
MAX_GATHER_SECS = 0.5
GONE_SECS = 0.1
_TOGETHER = 64
"""New logs that are looked into in one call of a thread, which costs more than a log."""


class Scanner(Protocol):
    """The tree of one source. `places` and `look` watch each directory before they read it."""

    def places(self, path: str | None) -> Iterable[str]:
        """The parts of the tree that an event at this path concerns; None: all there are.

        A path that ends in a slash is a directory. Raises OSError.
        """
        ...

    def look(self, place: str) -> Snapshot:
        """Raises OSError when it cannot be known what is there."""
        ...

    def admit(self, seen: Sighting) -> LogFile | None:
        """How to read a log seen for the first time; None: not now, and it was complained about."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    scan_secs: float
    max_origins: int


class Discovery:
    def __init__(
        self,
        scanner: Scanner,
        watcher: Watcher,
        catalog: Catalog,
        context: Context,
        pace: Pace,
        complaints: Complaints,
        labels: Callable[[Mapping[str, str]], Labels] = Labels,
    ) -> None:
        self._scanner = scanner
        self._watcher = watcher
        self._catalog = catalog
        self._context = context
        self._pace = pace
        self._complaints = complaints
        self._told = Told(catalog, context.world.clock, labels)
        self._places: dict[str, dict[str, Sighting]] = {}
        self._missing: dict[str, float] = {}
        """Logs that the last look at their places did not see, and since when."""
        self._look_secs = 0.0
        self._scan_at = 0.0
        self._scan_took = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        self._watcher.start()
        try:
            paths: set[str] | None = None
            while True:
                await self._look(paths)
                if paths is None:
                    self._catalog.complete()
                paths = await self._next_paths()
        finally:
            await self._context.world.offload.run(self._watcher.stop)

    def relabel(self) -> None:
        """What is known about origins has changed."""
        self._told.relabel()

    async def _next_paths(self) -> set[str] | None:
        """Wait for a reason to look: events at these paths; none: a log is missing.

        None: the clock says to look everywhere.
        """
        now = self._context.world.clock.now()
        scan_in = self._scan_at + self._scan_secs() - now
        again_in = min(self._missing.values(), default=now + scan_in) + GONE_SECS - now
        try:
            async with asyncio.timeout(min(scan_in, again_in)):
                await self._watcher.happened.wait()
        except TimeoutError:
            return set() if again_in < scan_in else None
        gather = min(max(GATHER_SECS, 9 * self._look_secs), MAX_GATHER_SECS)
        await self._context.world.clock.sleep(gather)
        paths = self._watcher.take()
        if self._watcher.overflowed:
            self._watcher.overflowed = False
            return None
        return paths

    def _scan_secs(self) -> float:
        if self._watcher.complete:
            rarely = min(self._scan_took / SCAN_SHARE, MAX_SCAN_SECS)
            return max(self._pace.scan_secs, rarely)
        if self._watcher.failure:
            self._complaints.say(
                "new files are looked for every second, because inotify is not available",
                self._watcher.failure, "raise the limit with sysctl",
            )  # fmt: skip
        if self._watcher.forbidden:
            self._complaints.say(
                "new files are looked for every second, because a directory may not be watched",
                self._watcher.forbidden, "give the agent's user the right to read it; if it has "
                "that, SELinux denies the watch",
            )  # fmt: skip
        return min(self._pace.scan_secs, UNWATCHED_SCAN_SECS)

    async def _look(self, paths: set[str] | None) -> None:
        world = self._context.world
        began = world.clock.now()
        if paths is None:
            self._scan_at = began
            self._watcher.begin()
        found = await world.offload.run(self._survey, paths)
        fresh = []
        for place, snapshot in found.items():
            appeared = self._tell(place, snapshot, began)
            fresh += [(place, seen) for seen in appeared]
        for n in range(0, len(fresh), _TOGETHER):
            await self._admit(fresh[n : n + _TOGETHER])
        for place in found:
            if not self._places[place]:
                del self._places[place]
        self._look_secs = world.clock.now() - began
        if paths is None:
            self._scan_took = self._look_secs

    def _survey(self, paths: set[str] | None) -> dict[str, Snapshot]:
        """In a thread. Places that cannot be read are left out."""
        found: dict[str, Snapshot] = {}
        for place in self._wanted_places(paths):
            try:
                found[place] = self._scanner.look(place)
            except OSError as error:
                self._complain(error)
        return found

    def _wanted_places(self, paths: set[str] | None) -> set[str]:
        try:
            if paths is None:
                return {*self._scanner.places(None), *self._places}
            named = {place for path in paths for place in self._scanner.places(path)}
        except OSError as error:
            self._complain(error)
            return set()
        if not self._missing:
            return named
        missing = self._missing.keys()
        return named | {p for p, seen in self._places.items() if not missing.isdisjoint(seen)}

    def _complain(self, error: OSError) -> None:
        self._complaints.say("cannot look for logs", str(error))

    def _tell(self, place: str, after: Snapshot, now: float) -> Sequence[Sighting]:
        """Tell the catalog what is gone or was touched; what is new."""
        before = self._places.get(place, {})
        changed = changes(before, after)
        known = {key: seen for key, seen in after.items() if key in before}
        for key in known:
            self._missing.pop(key, None)
        for key in changed.gone:
            if now - self._missing.setdefault(key, now) < GONE_SECS:
                known[key] = before[key]
                continue
            del self._missing[key]
            self._told.retire(key)
        for seen in changed.touched:
            self._catalog.touch(seen.key)
        self._places[place] = known
        return changed.appeared

    async def _admit(self, appeared: Sequence[tuple[str, Sighting]]) -> None:
        """Tell the catalog what is new, as far as it may be read."""
        new = self._wanted(appeared)
        if not new:
            return
        logs = await self._context.world.offload.run(self._logs_of, [seen for _, seen in new])
        for (place, seen), log in zip(new, logs, strict=True):
            if log is not None:
                self._told.add(seen, log)
                self._places[place][seen.key] = seen

    def _wanted(self, appeared: Sequence[tuple[str, Sighting]]) -> list[tuple[str, Sighting]]:
        new: dict[str, tuple[str, Sighting]] = {}
        for place, seen in appeared:
            if seen.key in self._told or seen.key in new:
                said = "two logs have the same key; the second is not read"
                self._complaints.say(said, seen.key)
            else:
                new[seen.key] = place, seen
        room = max(0, self._pace.max_origins - len(self._told))
        if len(new) > room:
            self._complaints.say(
                "too many logs; the others are not read", f"the limit is {self._pace.max_origins}"
            )
        return list(new.values())[:room]

    def _logs_of(self, new: Sequence[Sighting]) -> list[LogFile | None]:
        """In a thread."""
        return [self._scanner.admit(seen) for seen in new]
