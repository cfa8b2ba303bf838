"""Follows one origin through its generations.

A file is opened the moment it is seen and kept open through rename, compression and deletion, until
every feed has settled it: the descriptor keeps the inode alive, so within one life of the agent an
open file cannot be mistaken for another. Generations are ordered by content, never by name; the
live file comes last, also when the clock stepped back or lines have no times.

A generation has ended when nothing can be added to it: it is compressed, or it is no longer the
live file, a newer one is there (or the origin has retired), and it has been quiet for `QUIET_SECS`
(the runtime writes on to the renamed file until it has reopened its log).
"""

import logging
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from logship.generation import LogGeneration
from logship.origin import LogFile, Origin
from logship.rows.address import Generation, Position
from logship.rows.identity import HEAD_BYTES, identify
from logship.unzip import DamagedFile, GzipReader, gzip_size
from logship.world import Stat, World

QUIET_SECS = 1.0
_MAX_LOOKS = 5
"""A directory that changes faster than it can be read is looked at again with the next event."""


class FollowedBy(Protocol):
    """What a follower knows of the feeds that read it."""

    on_ready: Callable[[], None]
    exhausted: bool

    @property
    def committed(self) -> Position | None: ...
    def due(self) -> bool: ...


@dataclass(eq=False, slots=True)
class Follower:
    origin: Origin
    log: LogFile
    world: World
    logger: logging.Logger
    generations: list[LogGeneration] = field(default_factory=list)
    """Open ones, in the order they were written."""
    retired: bool = False
    feeds: list[FollowedBy] = field(default_factory=list)
    directory_mtime_ns: int = 0
    """Of the directory when it was last looked at: renames and new files change it."""
    floor: Generation | None = None
    """Every feed has settled what is older."""
    _ignored: set[Stat] = field(default_factory=set)
    """Files that need no second look. Not their inodes alone: these are used again."""
    _nameless: dict[int, str] = field(default_factory=dict)
    """Open files (descriptor, name) too short to tell which generation they are."""
    _complained: set[str] = field(default_factory=set)

    def refresh(self) -> None:
        """Look at the directory: open what is new, note what was renamed or is gone.

        Names can move while one looks (a scan that has passed the new name opens the next file
        under the old one): then it looks again, as no generation may be overlooked.
        """
        for _ in range(_MAX_LOOKS):
            before = self._directory_mtime_ns()
            self.directory_mtime_ns = before
            self._look()
            if self._directory_mtime_ns() == before:
                return

    def _directory_mtime_ns(self) -> int:
        directory = self.world.disk.stat(self.log.directory)
        return directory.mtime_ns if directory else 0

    def _look(self) -> None:
        names = self._names()
        found = {name: self.world.disk.stat(f"{self.log.directory}/{name}") for name in names}
        stats = {name: stat for name, stat in found.items() if stat is not None}
        inodes = {(stat.device, stat.inode): name for name, stat in stats.items()}
        for log in self.generations:
            log.live = inodes.get(log.inode) == self.log.name
        self._ignored.intersection_update(stats.values())
        held = {log.inode for log in self.generations} | self._rename_nameless(inodes)
        for name, stat in stats.items():
            if (stat.device, stat.inode) not in held and stat not in self._ignored:
                self._open(name)

    def _names(self) -> list[str]:
        live, prefix = self.log.name, self.log.name + "."
        return [
            entry.name
            for entry in self.world.disk.scan(self.log.directory)
            if not entry.is_dir
            and (entry.name == live or (self.log.rotated and entry.name.startswith(prefix)))
            and not entry.name.endswith(".tmp")
        ]

    def _open(self, name: str) -> None:
        path = f"{self.log.directory}/{name}"
        try:
            fd = self.world.disk.open(path, self.log.roots)
        except FileNotFoundError:
            return
        except OSError as error:
            self._complain(path, f"cannot read {path}: {error.strerror or error}")
            self.directory_mtime_ns = 0  # try again
            return
        self._sort_in(fd, name)

    def _sort_in(self, fd: int, name: str) -> bool:
        """Whether the file is a new generation; one that cannot be told yet is kept open."""
        self._nameless.pop(fd, None)
        try:
            opened = self._identify(fd, name)
        except (OSError, ValueError, DamagedFile) as error:
            self._complain(name, f"cannot read {self.log.directory}/{name}: {error}")
            self._ignore(fd)
            return False
        if opened is None:
            self._nameless[fd] = name
            return False
        if self._needless(opened):
            self._ignore(fd)
            return False
        insort(self.generations, opened, key=lambda log: (log.live, log.generation))
        return True

    def _rename_nameless(self, names: Mapping[tuple[int, int], str]) -> set[tuple[int, int]]:
        """Their inodes; the live file may have been renamed before it could be identified."""
        inodes = set()
        for fd in self._nameless:
            stat = self.world.disk.fstat(fd)
            inode = (stat.device, stat.inode)
            self._nameless[fd] = names.get(inode, "")
            inodes.add(inode)
        return inodes

    def _identify_grown(self) -> bool:
        """Look again at files that were too short to tell what they are; they may be gone now."""
        grown = False
        for fd, name in list(self._nameless.items()):
            stat = self.world.disk.fstat(fd)
            if stat.size:
                grown = self._sort_in(fd, name) or grown
            elif stat.links == 0:
                self._nameless.pop(fd)
                self.world.disk.close(fd)
        return grown

    def _needless(self, opened: LogGeneration) -> bool:
        """Whether it is settled, or a copy (the `.gz`) of one we hold."""
        generation = opened.generation
        settled = not opened.live and self.floor is not None and generation < self.floor
        return settled or any(log.generation == generation for log in self.generations)

    def _ignore(self, fd: int) -> None:
        self._ignored.add(self.world.disk.fstat(fd))
        self.world.disk.close(fd)

    def _identify(self, fd: int, name: str) -> LogGeneration | None:
        disk, format = self.world.disk, self.log.cutting.format
        stat = disk.fstat(fd)
        compressed = name.endswith(".gz")
        if compressed:
            reader = GzipReader(self.world, fd)
            head, size = reader.head(HEAD_BYTES[format]), gzip_size(disk, fd)
        else:
            head, size = disk.pread(fd, HEAD_BYTES[format], 0), stat.size
        live = name == self.log.name
        final = compressed or self.retired
        generation = identify(format, head, disk.birth_ns(fd), final=final)
        if generation is None:
            return None
        return LogGeneration(
            generation, fd, (stat.device, stat.inode), size, live, stat.mtime_ns,
            self.world.clock.now(), compressed,
        )  # fmt: skip

    def _complain(self, path: str, reason: str) -> None:
        if path not in self._complained:
            self._complained.add(path)
            self.logger.warning(reason)

    def complain(self, error: OSError) -> None:
        self._complain(self.log.directory, f"cannot look at {self.log.directory}: {error}")

    def poll(self) -> bool:
        """Whether something was written since the last look. Costs one fstat a growing file."""
        grown = self._identify_grown() if self._nameless else False
        for log in self.generations:
            if not log.compressed and self._poll(log):
                grown = True
        return grown

    def _poll(self, log: LogGeneration) -> bool:
        if log.truncated_from:
            return False  # what is in the file now belongs to another generation
        stat = self.world.disk.fstat(log.fd)
        if stat.size == log.size:
            return False
        log.changed_at, log.mtime_ns = self.world.clock.now(), stat.mtime_ns
        if stat.size < log.size:
            self._truncated(log)
        else:
            log.size = stat.size
        return True

    def _truncated(self, log: LogGeneration) -> None:
        """Copytruncate: the same inode begins again, as another generation."""
        log.truncated_from = log.size
        log.size, log.live, log.inode = 0, False, (0, 0)
        self.directory_mtime_ns = 0  # look again: truncating does not change it

    def ended(self, log: LogGeneration) -> bool:
        """Whether nothing can be added to this generation any more."""
        if log.compressed:
            return True
        newer = log is not self.generations[-1]
        if log.live or not (newer or self.retired) or self._poll(log):
            return False  # polled: something may have been written since the last look
        return self.world.clock.now() - log.changed_at >= QUIET_SECS

    def first(self) -> LogGeneration | None:
        return self.generations[0] if self.generations else None

    def find(self, generation: Generation) -> LogGeneration | None:
        """The open generation, or None: gone, or not seen."""
        return next((log for log in self.generations if log.generation == generation), None)

    def after(self, generation: Generation) -> LogGeneration | None:
        """The next one in the order they were written."""
        at = self._place(generation)
        if at is None:
            return next((log for log in self.generations if log.generation > generation), None)
        return self.generations[at + 1] if at + 1 < len(self.generations) else None

    def _place(self, generation: Generation) -> int | None:
        logs = enumerate(self.generations)
        return next((n for n, log in logs if log.generation == generation), None)

    def settle_up(self) -> None:
        """Close ended generations that every feed has settled."""
        positions = [feed.committed for feed in self.feeds]
        places = [None if p is None else self._place(p.generation) for p in positions]
        known = [place for place in places if place is not None]
        if known and len(known) == len(places):
            self._let_go(min(known))

    def _let_go(self, before: int) -> None:
        self.floor = self.generations[before].generation
        old = [log for log in self.generations[:before] if not log.live]
        for log in old:
            self._ignore(log.fd)
            self.generations.remove(log)

    def close(self) -> None:
        for fd in [*self._nameless, *(log.fd for log in self.generations)]:
            self.world.disk.close(fd)
        self._nameless, self.generations = {}, []
