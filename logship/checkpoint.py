"""The saved positions, on disk and in memory.

Changed positions are appended once a second, in a thread; a snapshot replaces the file once a
minute. Whatever a crash leaves behind can be read: a torn last line is cut off and reported, a file
that is not ours is set aside. A full disk costs nothing but the age of the checkpoint: rows flow
on, and what was not written is written with the next try.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from logship.journal import HEADER, ForeignFile, Key, Saved, line, parse
from logship.rows.address import Generation, Position
from logship.tail.loss import NOTHING_KNOWN, Following
from logship.world import World

FILE_NAME = "positions.journal"
SNAPSHOT_SECS = 60.0
KEEP_UNSEEN_SECS = 86_400
"""How long positions are kept of a route that was removed, or of an origin that is not seen."""
_REFRESH_NS = KEEP_UNSEEN_SECS * 1_000_000_000 // 4
_MAX_BYTES = 256 * 1024 * 1024
KEEP_FINISHED_SECS = 3600.0
"""How long the position is kept of an origin that is gone and settled: an agent that waits to take
over may hold its files, and has to know that nothing of them is left to do."""
GROWTH_SECS = 10.0
_GROWTH_NS = int(GROWTH_SECS * 1e9)


class Checkpoint:
    def __init__(self, state_dir: str, world: World, logger: logging.Logger) -> None:
        self._dir = state_dir
        self._path = f"{state_dir}/{FILE_NAME}"
        self._world = world
        self._log = logger
        self._saved: dict[Key, Saved] = {}
        self._forgotten: dict[Key, None] = {}
        self._finished: dict[Key, float] = {}
        """When they are to be forgotten."""
        self._unwritten: dict[Key, None] = {}
        """In order: a run that is repeated writes the same bytes."""
        self._snapshot_at: float | None = None
        self._failing = False
        self._writing: asyncio.Future[object] | None = None
        self.saved_at: float | None = None
        """When the file was last up to date (clock.now)."""

    @property
    def age_secs(self) -> float | None:
        """Since the file was up to date; None: it never was."""
        return None if self.saved_at is None else self._world.clock.now() - self.saved_at

    def peek(self) -> None:
        """What is there while another agent writes it: nothing is said, set aside or written."""
        with suppress(OSError, ForeignFile, ValueError):
            self._saved = parse(self._world.disk.read_bytes(self._path, _MAX_BYTES)).positions

    def load(self) -> None:
        """Read the file, or start empty. Raises OSError when the directory cannot be used."""
        disk = self._world.disk
        disk.make_dir(self._dir)
        self._saved = {}
        try:
            content = disk.read_bytes(self._path, _MAX_BYTES)
            loaded = parse(content)
        except FileNotFoundError:
            return
        except (ForeignFile, ValueError):
            aside = f"{self._path}.foreign-{self._world.clock.wall_ns()}"
            disk.rename(self._path, aside)
            self._log.error(
                "%s is not a checkpoint of this version: set aside as %s; every route begins at its"
                " start_from", self._path, aside,
            )  # fmt: skip
            return
        if loaded.bad_lines:
            self._log.warning(
                "%s: left out %d damaged lines (%d bytes are whole)",
                self._path, loaded.bad_lines, loaded.whole_bytes,
            )  # fmt: skip
        # Before the last save, not before now: the agent may have been away, or the clock be wrong.
        # The routes' own entries say when that was: one of a log may be of a clock that was ahead.
        ages = [(not key.origin, saved.at_ns) for key, saved in loaded.positions.items()]
        newest = max(ages, default=(False, 0))[1]
        oldest = newest - KEEP_UNSEEN_SECS * 1_000_000_000
        self._saved = {k: saved for k, saved in loaded.positions.items() if saved.at_ns >= oldest}

    def knows(self, route: str, was: str | None = None) -> bool:
        """Whether the route has run before: it has a marker, or a position of some origin."""
        return any(key.route in (route, was) for key in self._saved)

    def position(self, route: str, origin: str, was: str | None = None) -> Position | None:
        """Where the route stands in the origin; `was`: the name the route had before."""
        saved = self._find(route, origin, was)
        return saved.position if saved else None

    def following(self, route: str, origin: str, was: str | None = None) -> Following:
        """What was known to come after the position."""
        saved = self._find(route, origin, was)
        return saved.following if saved else NOTHING_KNOWN

    def keys(self, route: str, was: str | None = None) -> list[Key]:
        """Of all positions of the route."""
        return [key for key in self._saved if key.route in (route, was)]

    def _find(self, route: str, origin: str, was: str | None) -> Saved | None:
        saved = self._saved.get(Key(route, origin))
        if saved is None and was is not None:
            saved = self._saved.get(Key(was, origin))
        return saved

    def update(
        self,
        positions: Mapping[Key, Position],
        following: Mapping[Key, Following] = MappingProxyType({}),
        *,
        last: bool = False,
    ) -> None:
        """Note the positions that bindings stand at now; those still seen stay young.

        `following` is what is known to come after them. That a log grows while its route stands
        still is noted every `GROWTH_SECS` only, and at the `last` save.
        """
        now = self._world.clock.wall_ns()
        for key, position in positions.items():
            self._finished.pop(key, None)
            new = Saved(position, now, following.get(key, NOTHING_KNOWN))
            old = self._saved.get(key)
            if old is None or _worth_saving(old, new, last=last):
                self._saved[key] = new
                self._unwritten[key] = None

    def finished(self, key: Key) -> None:
        """The origin is gone and everything of it is settled: its position is forgotten in time."""
        if key in self._saved:
            self._finished[key] = self._world.clock.now() + KEEP_FINISHED_SECS

    def _forget_finished(self) -> None:
        now = self._world.clock.now()
        while self._finished and (first := next(iter(self._finished.items())))[1] <= now:
            self.forget(first[0])
            self._finished.pop(first[0], None)

    def forget(self, key: Key) -> None:
        """Nobody goes on there."""
        if self._saved.pop(key, None) is not None:
            self._unwritten.pop(key, None)
            self._forgotten[key] = None

    async def save(self) -> None:
        """Write what changed; never raises for the disk's troubles, but says so."""
        self._forget_finished()
        if self._writing is not None:  # of a save that was cancelled: its thread goes on
            await asyncio.wait([self._writing])
        now = self._world.clock.now()
        due = self._snapshot_at is None or now - self._snapshot_at >= SNAPSHOT_SECS
        try:
            if due:
                await self._snapshot()
                self._snapshot_at = now
            else:
                await self._append()
        except OSError as error:
            self._snapshot_at = None
            if not self._failing:
                self._log.error("cannot save positions in %s: %s", self._path, error.strerror)
            self._failing = True
            return
        if self._failing:
            self._log.info("positions are saved again in %s", self._path)
        self._failing = False
        self.saved_at = now

    async def _append(self) -> None:
        keys, gone = self._unwritten, self._forgotten
        if not keys and not gone:
            return
        self._unwritten, self._forgotten = {}, {}
        lines = [line(key, None) for key in gone] + [line(k, self._saved[k]) for k in keys]
        try:
            disk, content = self._world.disk, b"".join(lines)
            await self._write(lambda: disk.append(self._path, content, sync=True))
        except BaseException:  # cancelled too: it may never have begun
            self._unwritten |= {key: None for key in keys if key in self._saved}
            self._forgotten |= gone
            raise

    async def _snapshot(self) -> None:
        self._unwritten, self._forgotten, self._snapshot_at = {}, {}, None
        lines = [HEADER, *(line(key, saved) for key, saved in self._saved.items())]
        disk, content = self._world.disk, b"".join(lines)
        await self._write(lambda: disk.replace(self._path, content))

    async def _write(self, write: Callable[[], object]) -> None:
        """In a thread, which cannot be stopped: the next write waits for it."""
        self._writing = asyncio.ensure_future(self._world.offload.run(write))
        await asyncio.shield(self._writing)


def _worth_saving(old: Saved, new: Saved, *, last: bool) -> bool:
    age_ns = new.at_ns - old.at_ns
    if old.position != new.position or abs(age_ns) > _REFRESH_NS:  # the clock may have been ahead
        return True
    if old.following == new.following:
        return False
    return last or _ends(old) != _ends(new) or age_ns >= _GROWTH_NS


def _ends(saved: Saved) -> list[tuple[Generation, bool]]:
    """The later generations, and whether all before each of them had ended."""
    return [(generation, final) for generation, _, final in saved.following.later]
