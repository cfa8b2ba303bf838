"""Follows one origin through its generations.

A file is opened the moment it is seen and kept open through rename, compression and deletion, until
every feed has settled it: the descriptor keeps the inode alive, so within one life of the agent an
open file cannot be mistaken for another.

A generation has ended when nothing can be added to it: it is compressed, or it is no longer the
live file, a newer one is there (or the origin has retired), and it has been quiet for `QUIET_SECS`
since then (the runtime writes on to the renamed file until it has reopened its log, and what it had
in hand a moment longer).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from logship.origin import LogFile, Origin
from logship.rows.address import Generation, Position
from logship.tail.descriptors import Descriptors
from logship.tail.directory import QUIET_NS, Directory
from logship.tail.generation import LogGeneration
from logship.tail.generations import Generations
from logship.tail.opening import Opening
from logship.tail.readers import FollowedBy, Readers
from logship.world import World

QUIET_SECS = QUIET_NS / 1e9
LOOK_SECS = 1.0
"""How often a file that nobody writes to is looked at, to see whether it was deleted."""


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
    floor: Generation | None = None
    """Every feed has settled what is older."""
    descriptors: Descriptors = field(default_factory=Descriptors)
    version: int = 0
    """Grows with everything that changes what there is to read."""
    _told: bool = False
    """Whether `refresh` found more to read in files that were too short before."""
    opening: Opening = field(init=False)
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self.opening = Opening(self.log, self.world, self.logger, self.descriptors)
        self.directory = Directory(
            self.log, self.world, self.opening, self.generations, self.feeds, self._sort_in
        )

    def expect(self, positions: Iterable[Position]) -> None:
        """Where the routes were when the agent was stopped. Call before the first look."""
        self.opening.naming.expect(positions)

    def add_feed(self, feed: FollowedBy) -> None:
        """It reads from now on; what is gone already is lost to it too."""
        self.feeds.append(feed)
        for log in self.generations:
            if log.let_go:
                feed.lose(log, log.let_go)
        self.directory.tell_lost()

    def reopen(self) -> None:
        """Open again what every feed has settled, as far as it is there: one that comes may want
        it.
        """
        self.floor = None
        self.opening.heed_all()
        self.directory.mtime_ns = 0
        self.refresh()

    @property
    def changed(self) -> bool:
        """Whether a look at the directory may find more than the last one did."""
        return self.opening.waits or self.directory.changed

    def refresh(self) -> None:
        """Look at the directory: open what is new, note what was renamed or is gone."""
        if self.opening.waits:
            self._told |= self._tell_grown()  # first: of the live one there may be copies
        self.directory.look(final=self.retired)

    def _sort_in(self, opened: LogGeneration) -> bool:
        """Whether the file is one more generation that somebody needs."""
        held = self.find(opened.generation)
        if held is not None and held.wants_copy:
            held.go_on_in(opened)
            self.version += 1
            return True
        if log := self.directory.closed.again(opened):
            self._open_again(log, opened)
            return True
        if self._needless(opened):
            self.opening.ignore(opened.fd, opened.generation)
            return False
        self.generations.sort_in(opened)
        self.version += 1
        return True

    def _open_again(self, log: LogGeneration, opened: LogGeneration) -> None:
        """Something was added to a file after everybody had settled it."""
        before = log.size
        log.go_on_in(opened)
        log.changed_at, log.told_ended = opened.changed_at, False
        self.generations.sort_in(log)
        self._added(log, before)

    def _added(self, log: LogGeneration, before: int) -> None:
        self.version += 1
        for feed in self.feeds:
            feed.late(log, before)

    def _needless(self, opened: LogGeneration) -> bool:
        """Whether it is settled, or a copy (the `.gz`) of one we hold."""
        generation = opened.generation
        settled = not opened.live and self.floor is not None and generation < self.floor
        return settled or any(log.generation == generation for log in self.generations)

    def look_again(self) -> None:
        """`refresh` and `poll`, where trouble is only said: the pulse looks again soon.

        Of a file that was truncated a copy is looked for, so that comes to light first.
        """
        try:
            self.poll()
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
        grown, self._told = self._told, False
        if self.opening.waits and self._tell_grown():
            grown = True
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

    def _tell_grown(self) -> bool:
        """Whether a file that was too short to be told is one more generation."""
        ended = self.world.clock.now() - QUIET_SECS if self.generations.live else -inf
        told = list(self.opening.tell_grown(ended=inf if self.retired else ended))
        self.directory.failed()
        grown = [log for log in told if self._sort_in(log)]
        for log in grown:
            if log in self.generations and not log.live:
                self._added(log, 0)  # feeds may have passed its place
        return bool(grown)

    def _poll(self, log: LogGeneration) -> bool:
        """Whether something was added to the file, or cut off."""
        if log.to_close:
            self.close_idle(log)
        if log.wants_copy or log.let_go:
            return False  # what is in the file now belongs to another generation
        stat, log.looked_at = self.world.disk.fstat(log.fd), self.world.clock.now()
        log.links = stat.links
        again = log.begun_again(stat, self.world.disk)
        if log.compressed or (stat.size == log.size and not again):
            log.mtime_ns = stat.mtime_ns
            return False
        self.version += 1
        log.told_ended = False
        log.changed_at, log.mtime_ns, log.disk_bytes = log.looked_at, stat.mtime_ns, stat.size
        if again:
            self._truncated(log)
        else:
            before, log.size = log.size, stat.size
            if not log.live:
                self._added(log, before)
        return True

    def _truncated(self, log: LogGeneration) -> None:
        """Copytruncate: the same inode begins again, as another generation."""
        self.opening.naming.truncated(log.inode)
        log.truncated_from = log.size
        log.size, log.live, log.inode = 0, False, (0, 0)
        self.directory.mtime_ns = 0  # look again: truncating does not change it
        self.opening.heed(log.generation)  # its copies were needless until now

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
        if len(self.generations) < 2:
            return  # the last one may go on; and this is asked for every batch
        place = self.feeds.settled_before(self.generations)
        if not place:
            return
        self.floor = self.generations[place].generation
        for log in [log for log in self.generations[:place] if not log.live]:
            if not log.let_go:
                self.directory.closed.add(log)
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
        self.generations.clear()
