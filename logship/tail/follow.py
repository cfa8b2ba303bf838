"""Follows one origin through its generations.

A file is opened the moment it is seen and kept open through rename, compression and deletion, until
every feed has settled it: the descriptor keeps the inode alive, so within one life of the agent an
open file cannot be mistaken for another.

A generation has ended when nothing can be added to it: it is compressed, or it is no longer the
live file, a newer one is there (or the origin has retired), and it has been quiet for `QUIET_SECS`
(the runtime writes on to the renamed file until it has reopened its log).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from logship.origin import LogFile, Origin
from logship.rows.address import Generation, Position
from logship.tail.descriptors import Descriptors
from logship.tail.generation import LogGeneration
from logship.tail.generations import Generations
from logship.tail.opening import Opening
from logship.tail.readers import FollowedBy, Readers
from logship.tail.unopened import Inode, Unopened
from logship.world import Stat, World

QUIET_SECS = 1.0
LOOK_SECS = 1.0
"""How often a file that nobody writes to is looked at, to see whether it was deleted."""
RACY_NS = 20_000_000
"""Kernels before 6.13 stamp with their tick: two changes within it cannot be told apart."""
_MAX_LOOKS = 5
"""A directory that changes faster than it can be read is looked at again with the next event."""


@dataclass(eq=False, slots=True)
class Follower:
    origin: Origin
    log: LogFile
    world: World
    logger: logging.Logger
    generations: Generations = field(default_factory=Generations)
    """Open ones, in the order they were written."""
    retired: bool = False
    feeds: Readers = field(default_factory=Readers)
    directory_mtime_ns: int = 0
    """Of the directory when it was last looked at: renames and new files change it."""
    floor: Generation | None = None
    """Every feed has settled what is older."""
    descriptors: Descriptors = field(default_factory=Descriptors)
    version: int = 0
    """Grows with everything that changes what there is to read."""
    opening: Opening = field(init=False)
    _unopened: Unopened = field(default_factory=Unopened)
    _missed: list[Stat] = field(default_factory=list)
    """Files that were deleted before they could be opened."""
    _looked: bool = False

    def __post_init__(self) -> None:
        self.opening = Opening(self.log, self.world, self.logger, self.descriptors)

    def expect(self, positions: Iterable[Position]) -> None:
        """Where the routes were when the agent was stopped. Call before the first look."""
        self.opening.naming.expect(positions)

    def add_feed(self, feed: FollowedBy) -> None:
        """It reads from now on; what is gone already is lost to it too."""
        self.feeds.append(feed)
        for log in self.generations:
            if log.let_go:
                feed.lose(log, log.let_go)
        for stat in self._missed:
            feed.missed(stat)

    def refresh(self) -> None:
        """Look at the directory: open what is new, note what was renamed or is gone.

        Names can move while one looks (a scan that has passed the new name opens the next file
        under the old one): then it looks again, as no generation may be overlooked.
        """
        for _ in range(_MAX_LOOKS):
            before = self._directory_mtime_ns()
            self.directory_mtime_ns = before
            names = self._look()
            if self._directory_mtime_ns() == before:
                break
        if abs(self.world.clock.wall_ns() - self.directory_mtime_ns) < RACY_NS:
            self.directory_mtime_ns = 0  # changed in the same tick of the clock? Look again soon
        self._looked = True
        self._tell_vanished(names)

    def _directory_mtime_ns(self) -> int:
        directory = self.world.disk.stat(self.log.directory)
        return directory.mtime_ns if directory else 0

    def _look(self) -> dict[Inode, str]:
        """The files that are there, by inode."""
        opening = self.opening
        found = {n: self.world.disk.stat(f"{self.log.directory}/{n}") for n in opening.names()}
        stats = {name: stat for name, stat in found.items() if stat is not None}
        names = {(stat.device, stat.inode): name for name, stat in stats.items()}
        live = stats.get(self.log.name)  # by name: another file may be a link to the same
        for log in self.generations:
            was_live, log.live = log.live, bool(live and log.inode == (live.device, live.inode))
            if was_live and not log.live:  # what the runtime still has to say comes from now on
                log.changed_at, log.told_ended = self.world.clock.now(), False
        opening.keep_ignoring(stats.values())
        held = {log.inode for log in self.generations} | opening.rename_nameless(names)
        # The live one first, then the oldest: names that are given depend on those given before.
        for name in sorted(stats, key=lambda name: (name != self.log.name, stats[name].mtime_ns)):
            stat = stats[name]
            if (stat.device, stat.inode) not in held and not opening.ignored(stat):
                self._open(name, stat)
        return names

    def _open(self, name: str, stat: Stat) -> None:
        fd = self.opening.open(name)
        if fd is None:
            if self.opening.failed:
                self.opening.failed, self.directory_mtime_ns = False, 0  # try again
                self._unopened.add(name, stat)
            elif name == self.log.name and self._looked:  # so it is new: nobody has read it
                self._unopened.add(name, stat)
            return
        opened = self.opening.tell(fd, name, final=self.retired)
        if opened is not None:
            held = self.find(opened.generation)
            if opened.compressed and held and held.size == opened.size:
                held.copy = name, self.world.disk.fstat(opened.fd)
            self._sort_in(opened)

    def _tell_vanished(self, names: dict[Inode, str]) -> None:
        for stat in self._unopened.vanished(names, {log.inode for log in self.generations}):
            self._missed.append(stat)
            for feed in self.feeds:
                feed.missed(stat)

    def _sort_in(self, opened: LogGeneration) -> bool:
        """Whether the file is one more generation that somebody needs."""
        held = self.find(opened.generation)
        if held is not None and 0 < held.truncated_from <= opened.size and not held.let_go:
            held.go_on_in(opened)
            self.version += 1
            return True
        if self._needless(opened):
            self.opening.ignore(opened.fd)
            return False
        self.generations.sort_in(opened)
        self.version += 1
        return True

    def _needless(self, opened: LogGeneration) -> bool:
        """Whether it is settled, or a copy (the `.gz`) of one we hold."""
        generation = opened.generation
        settled = not opened.live and self.floor is not None and generation < self.floor
        return settled or any(log.generation == generation for log in self.generations)

    def look_again(self) -> None:
        """`refresh` and `poll`, where trouble is only said: the pulse looks again soon."""
        try:
            self.refresh()
            self.poll()
        except OSError as error:  # no descriptors are left, or the disk fails
            self.complain(error)

    def complain(self, error: OSError) -> None:
        if self.descriptors.failed(error):
            return
        directory = self.log.directory
        self.opening.complain(directory, f"cannot look at {directory}: {error}")

    def poll(self) -> bool:
        """Whether something was written since the last look. Costs one fstat a growing file."""
        grown = False
        if self.opening.waits:
            told = self.opening.tell_grown(final=self.retired)
            grown = any([self._sort_in(log) for log in told])
        now = self.world.clock.now()
        for log in self.generations:
            # Files that nobody writes to change only when they are deleted.
            quiet = log.compressed or (not log.live and now - log.changed_at >= QUIET_SECS)
            if not (quiet and now - log.looked_at < LOOK_SECS) and self._poll(log):
                grown = True
            if quiet and not log.told_ended:
                log.told_ended = True
                self.version += 1  # now it is known how many bytes follow a position
        return grown

    def _poll(self, log: LogGeneration) -> bool:
        """Whether something was added to the file, or cut off."""
        if log.to_close:
            self.close_idle(log)
        if log.truncated_from or log.let_go:
            return False  # what is in the file now belongs to another generation
        stat, log.looked_at = self.world.disk.fstat(log.fd), self.world.clock.now()
        log.links = stat.links
        if log.compressed or stat.size == log.size:
            return False
        self.version += 1
        log.told_ended = False
        log.changed_at, log.mtime_ns, log.disk_bytes = log.looked_at, stat.mtime_ns, stat.size
        if stat.size < log.size:
            self._truncated(log)
        else:
            log.size = stat.size
        return True

    def _truncated(self, log: LogGeneration) -> None:
        """Copytruncate: the same inode begins again, as another generation."""
        self.opening.naming.truncated(log.inode)
        log.truncated_from = log.size
        log.size, log.live, log.inode = 0, False, (0, 0)
        self.directory_mtime_ns = 0  # look again: truncating does not change it
        self.opening.keep_ignoring(())  # copies were needless until now

    def ended(self, log: LogGeneration) -> bool:
        """Whether nothing can be added to this generation any more."""
        if log.compressed or log.let_go:
            return True
        newer = log is not self.generations[-1]
        if log.live or not (newer or self.retired) or self._poll(log):
            return False  # polled: something may have been written since the last look
        return self.world.clock.now() - log.changed_at >= QUIET_SECS

    def find(self, generation: Generation) -> LogGeneration | None:
        """The open generation, or None: gone, or not seen."""
        return self.generations.find(generation)

    def settle_up(self) -> None:
        """Close ended generations that every feed has settled."""
        place = self.feeds.settled_before(self.generations)
        if not place:
            return
        self.floor = self.generations[place].generation
        for log in [log for log in self.generations[:place] if not log.live]:
            if not log.let_go:
                self.opening.ignore(log.fd)
                log.fd = -1
            self.close_idle(log)
            self.generations.remove(log)
            self.version += 1

    def close_idle(self, log: LogGeneration) -> None:
        """Close descriptors that were exchanged or let go, unless a thread reads them."""
        for fd in log.idle():
            self.opening.close_file(fd)

    def close(self) -> None:
        self.opening.close()
        for log in self.generations:
            for fd in log.descriptors():
                self.opening.close_file(fd)
        self.generations = Generations()
