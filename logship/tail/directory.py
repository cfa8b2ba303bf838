"""Looks at the directory of an origin: opens what is new, notes what was renamed or is gone."""

from collections.abc import Callable
from dataclasses import dataclass, field

from logship.origin import LogFile
from logship.tail.closed import Closed
from logship.tail.generation import LogGeneration
from logship.tail.generations import Generations
from logship.tail.opening import Opening
from logship.tail.readers import Readers
from logship.tail.unopened import Inode, Unopened
from logship.world import Stat, World

RACY_NS = 20_000_000
"""Kernels before 6.13 stamp with their tick: two changes within it cannot be told apart."""
QUIET_NS = 1_000_000_000
"""A rotated file that was not written to for so long has ended, if the live file is there."""
_MAX_LOOKS = 5
"""A directory that changes faster than it can be read is looked at again with the next event."""


@dataclass(eq=False, slots=True)
class Directory:
    log: LogFile
    world: World
    opening: Opening
    generations: Generations
    feeds: Readers
    on_opened: Callable[[LogGeneration], object]
    closed: Closed = field(default_factory=Closed)
    mtime_ns: int = 0
    """When it was last looked at: renames and new files change it. 0: look again soon."""
    _unopened: Unopened = field(default_factory=Unopened)
    _looked: bool = False

    def look(self, *, final: bool) -> None:
        """Names can move while one looks (a scan that has passed the new name opens the next file
        under the old one): then it looks again, as no generation may be overlooked.

        `final`: no file will grow.
        """
        for _ in range(_MAX_LOOKS):
            before = self._changed_ns()
            self.mtime_ns = before
            names = self._look(final)
            if self._changed_ns() == before:
                break
        if abs(self.world.clock.wall_ns() - self.mtime_ns) < RACY_NS:
            self.mtime_ns = 0  # changed in the same tick of the clock?
        self._looked = True
        for stat in self._unopened.vanished(names, {log.inode for log in self.generations}):
            for feed in self.feeds:
                feed.missed(stat)

    @property
    def changed(self) -> bool:
        """Whether names may have changed since the last look, or it failed at something."""
        return self.mtime_ns == 0 or self._changed_ns() != self.mtime_ns

    def tell_lost(self) -> None:
        """To the feed that came last: what is gone already is lost to it too."""
        for stat in self._unopened.lost:
            self.feeds[-1].missed(stat)
        for stat in self._unopened.damaged.values():
            self.feeds[-1].untold(stat)

    def _changed_ns(self) -> int:
        stat = self.world.disk.stat(self.log.directory)
        return stat.mtime_ns if stat else 0

    def _look(self, final: bool) -> dict[Inode, str]:
        """The files that are there, by inode."""
        opening = self.opening
        found = {n: self.world.disk.stat(f"{self.log.directory}/{n}") for n in opening.names()}
        stats = {name: stat for name, stat in found.items() if stat is not None}
        names = {(stat.device, stat.inode): name for name, stat in stats.items()}
        self.generations.note_live(stats.get(self.log.name), self.world.clock.now())
        opening.keep_ignoring(stats.values())
        held = {log.inode for log in self.generations} | opening.rename_nameless(names)
        # The live one first, then the oldest: names that are given depend on those given before.
        for name in sorted(stats, key=lambda name: (name != self.log.name, stats[name].mtime_ns)):
            stat = stats[name]
            if (stat.device, stat.inode) in held:
                continue
            if self.closed.grown(stat) or not opening.ignored(stat):
                self._open(name, stat, final or (self.log.name in stats and self._old(name, stat)))
        self.closed.keep({inode: name for inode, name in names.items() if name != self.log.name})
        return names

    def _old(self, name: str, stat: Stat) -> bool:
        """Whether it is a rotated file that had ended before anybody looked."""
        quiet_ns = self.world.clock.wall_ns() - stat.mtime_ns
        return not self._looked and name != self.log.name and quiet_ns >= QUIET_NS

    def _open(self, name: str, stat: Stat, final: bool) -> None:
        fd = self.opening.open(name)
        opened = self.opening.tell(fd, name, final=final) if fd is not None else None
        # A live one that is gone at once is new: nobody has read it.
        if self.failed() or (fd is None and name == self.log.name and self._looked):
            self._unopened.add(name, stat)
        if opened is not None:
            held = self.generations.find(opened.generation)
            if opened.compressed and held and held.size == opened.size:
                held.copy = name, self.world.disk.fstat(opened.fd)
            self.on_opened(opened)

    def failed(self) -> bool:
        """Whether a file could not be opened, or told: try again. Feeds hear of damaged ones."""
        for stat in self._unopened.note_damaged(self.opening.damaged):
            for feed in self.feeds:
                feed.untold(stat)
        failed, self.opening.failed = self.opening.failed, False
        if failed:
            self.mtime_ns = 0
        return failed
