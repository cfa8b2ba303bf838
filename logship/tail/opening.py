"""Opens the files of one origin, and tells by their content which generation each is.

A file that is too short to be told stays open until it can be, or until it has ended: then its
unfinished line is all that it has. A file that needs no second look (a
copy of one that is open, one that is settled, one that cannot be read) is remembered by everything
the kernel says of it, never by its inode alone: inodes are used again at once.
"""

import errno
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from logship.origin import LogFile
from logship.rows.address import Generation
from logship.rows.identity import HEAD_BYTES, identify
from logship.tail.content import FileContent
from logship.tail.descriptors import Descriptors
from logship.tail.generation import LogGeneration
from logship.tail.naming import Naming, Sight
from logship.tail.unzip import DamagedFile, GzipReader, gzip_size
from logship.world import Stat, World


@dataclass(slots=True)
class Nameless:
    """An open file that is too short to tell which generation it is."""

    name: str
    size: int
    since: float
    """Since when it has this name and this size."""


@dataclass(eq=False, slots=True)
class Opening:
    log: LogFile
    world: World
    logger: logging.Logger
    descriptors: Descriptors
    failed: bool = False
    """Whether a file could not be opened, or told, though it is there: look again."""
    damaged: list[Stat] = field(default_factory=list)
    """Files that cannot be told, as long as nobody has taken note of them."""
    naming: Naming = field(default_factory=Naming)
    _nameless: dict[int, Nameless] = field(default_factory=dict)
    """By descriptor."""
    _ignored: dict[Stat, Generation | None] = field(default_factory=dict)
    """With the generation of which it is a copy."""
    _complained: frozenset[str] = frozenset()

    @property
    def waits(self) -> bool:
        """Whether a file is open that was too short to be told."""
        return bool(self._nameless)

    def names(self) -> list[str]:
        """Of the files of this origin that are there now."""
        names = {
            entry.name
            for entry in self.world.disk.scan(self.log.directory)
            if not entry.is_dir and self.log.owns(entry.name)
        }
        # While a file is compressed both are there; the compressed one is not whole yet.
        originals = names - {self.log.name}
        return [name for name in names if name.removesuffix(".gz") not in originals - {name}]

    def open(self, name: str) -> int | None:
        """A descriptor; None: gone, or it cannot be read (`failed`)."""
        path = f"{self.log.directory}/{name}"
        try:
            if not self.descriptors.room:
                raise OSError(errno.EMFILE, "too many logs are open")
            fd = self.world.disk.open(path, self.log.roots)
        except FileNotFoundError:
            return None
        except OSError as error:
            if not self.descriptors.failed(error):
                self.complain(path, f"cannot read {path}: {error.strerror or error}")
            self.failed = True
            return None
        self.descriptors.opened()
        return fd

    def close_file(self, fd: int) -> None:
        self.world.disk.close(fd)
        self.descriptors.closed()

    def tell(self, fd: int, name: str, *, final: bool) -> LogGeneration | None:
        """The generation of an open file; None: not yet, or never. `final`: it will not grow."""
        before = self._nameless.pop(fd, None)
        try:
            opened = self._identify(fd, name, final)
        except OSError as error:  # it may be readable a moment later
            self._cannot_read(name, error)
            self.close_file(fd)
            self.failed = True
            return None
        except (ValueError, DamagedFile) as error:
            self._cannot_read(name, error)
            self.damaged.append(self.world.disk.fstat(fd))
            self.ignore(fd)
            return None
        if opened is None:
            size, now = self.world.disk.fstat(fd).size, self.world.clock.now()
            same = before is not None and (before.name, before.size) == (name, size)
            self._nameless[fd] = before if before and same else Nameless(name, size, now)
        return opened

    def _cannot_read(self, name: str, error: Exception) -> None:
        self.complain(name, f"cannot read {self.log.directory}/{name}: {error}")

    def tell_grown(self, *, ended: float) -> Iterable[LogGeneration]:
        """Look again at files that were too short to tell what they are; they may be gone now.

        `ended`: nothing is added any more to a rotated file that has been the same since then.
        """
        for fd, file in list(self._nameless.items()):
            stat = self.world.disk.fstat(fd)
            if stat.size:
                quiet = stat.size == file.size and file.since <= ended
                final = ended == inf or (quiet and file.name != self.log.name)
                opened = self.tell(fd, file.name, final=final)
                if opened is not None:
                    yield opened
            elif stat.links == 0:
                self._nameless.pop(fd)
                self.close_file(fd)

    def _identify(self, fd: int, name: str, final: bool) -> LogGeneration | None:
        disk, format = self.world.disk, self.log.cutting.format
        stat = disk.fstat(fd)
        compressed = name.endswith(".gz")
        if compressed:
            reader = GzipReader(self.world, fd)
            head, size = reader.peek(HEAD_BYTES[format], 0), gzip_size(disk, fd)
        else:
            head, size = disk.pread(fd, HEAD_BYTES[format], 0), stat.size
        live, birth_ns = name == self.log.name, disk.birth_ns(fd)
        generation = identify(format, head, birth_ns, final=final or compressed)
        if generation is None:
            return None
        log = LogGeneration(
            generation, fd, (stat.device, stat.inode), size, live, stat.mtime_ns,
            self.world.clock.now(), compressed, links=stat.links, disk_bytes=stat.size,
        )  # fmt: skip
        if generation.time_ns == birth_ns:  # its first line has no time
            if b"\n" in head or len(head) == HEAD_BYTES[format]:
                log.head_bytes = HEAD_BYTES[format]
            self._name(log, birth_ns)
        return log

    def _name(self, log: LogGeneration, birth_ns: int) -> None:
        seen = Sight(
            log.inode, birth_ns, log.mtime_ns, log.size, log.generation.digest, log.live,
            log.compressed,
        )  # fmt: skip
        content = FileContent(self.world, log, self.log.cutting.max_row_bytes)
        log.generation = self.naming.name(seen, content)
        self.naming.note(seen, log)

    def rename_nameless(self, names: Mapping[tuple[int, int], str]) -> set[tuple[int, int]]:
        """Their inodes; the live file may have been renamed before it could be identified."""
        inodes = set()
        for fd in self._nameless:
            stat = self.world.disk.fstat(fd)
            inode = (stat.device, stat.inode)
            if (name := names.get(inode, "")) != self._nameless[fd].name:
                self._nameless[fd] = Nameless(name, stat.size, self.world.clock.now())
            inodes.add(inode)
        return inodes

    def waits_for(self, inode: tuple[int, int]) -> bool:
        """Whether this file is open, and too short to be told."""
        stats = map(self.world.disk.fstat, self._nameless)
        return any((stat.device, stat.inode) == inode for stat in stats)

    def ignore(self, fd: int, copy_of: Generation | None = None) -> None:
        """Close it, and do not open it again."""
        self._ignored[self.world.disk.fstat(fd)] = copy_of
        self.close_file(fd)

    def heed(self, generation: Generation) -> None:
        """Its copies are needed: open them again."""
        self._ignored = {s: copied for s, copied in self._ignored.items() if copied != generation}

    def heed_all(self) -> None:
        """Every file may be needed."""
        self._ignored = {}

    def ignored(self, stat: Stat) -> bool:
        return stat in self._ignored

    def keep_ignoring(self, there: Iterable[Stat]) -> None:
        """Forget about ignored files that are not there any more."""
        if self._ignored:
            self._ignored = {s: self._ignored[s] for s in there if s in self._ignored}

    def complain(self, path: str, reason: str) -> None:
        """Once for each path."""
        if path not in self._complained:
            self._complained |= {path}
            self.logger.warning(reason)

    def close(self) -> None:
        for fd in self._nameless:
            self.close_file(fd)
        self._nameless = {}
