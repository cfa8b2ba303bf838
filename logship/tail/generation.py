"""One open file of an origin, and how its bytes are read.

A file that is let go before everybody has read it stays in its place in the order, without bytes:
so each feed comes past it, and knows what follows. Its descriptor is closed only when no thread
reads it any more: the number could mean another file at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from logship.rows.address import Generation, line_digest
from logship.tail.loss import Reason
from logship.tail.unzip import GzipReader
from logship.world import Disk, Stat, World


class Reader(Protocol):
    """Reads one generation. Not for concurrent use."""

    async def read(self, size: int, offset: int) -> bytes:
        """Up to `size` uncompressed bytes at `offset`; empty at the end. Raises OSError."""
        ...


class NothingReader:
    """Of a file that cannot be read any further."""

    async def read(self, size: int, offset: int) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class LetGo:
    """Why a file was closed before everybody had read it."""

    reason: Reason
    final: bool
    """Whether nothing could be added to it any more."""


@dataclass(eq=False, slots=True)
class LogGeneration:
    """One open file of an origin."""

    generation: Generation
    fd: int
    inode: tuple[int, int]
    size: int
    """Uncompressed bytes known to be there."""
    live: bool
    mtime_ns: int
    changed_at: float
    compressed: bool = False
    head_bytes: int = 0
    """How much of it tells whether another file was written over it; 0: nobody does that to it."""
    truncated_from: int = 0
    """The size the file had when it was truncated; 0: it was not, or its copy has all of that."""
    links: int = 1
    """Names the file still has; 0 once it is deleted."""
    disk_bytes: int = 0
    """Bytes it takes on the disk."""
    looked_at: float = 0.0
    """When it was last looked at with fstat."""
    told_ended: bool = False
    """Whether those who know what follows a position know that nothing is added to it."""
    let_go: LetGo | None = None
    """It was closed before everybody had read it."""
    copy: tuple[str, Stat] | None = None
    """The name of a compressed copy of it, and what that was when it was seen."""
    to_close: list[int] = field(default_factory=list)
    """Descriptors of files that it was in, as long as a thread may read them."""
    readers: int = 0

    @property
    def wants_copy(self) -> bool:
        """Whether it was truncated, and no copy of what it had was found yet."""
        return self.truncated_from > 0 and self.inode == (0, 0) and not self.let_go

    @property
    def may_get_more(self) -> bool:
        """Whether something may be added though it is not the live file any more."""
        return not (self.live or self.compressed or self.truncated_from or self.let_go)

    def begun_again(self, stat: Stat, disk: Disk) -> bool:
        """Whether what is in the file now is another generation: truncated, perhaps grown since.

        `stat`: of now. Costs a small read if a file of a `files` source has changed.
        """
        if self.compressed or stat.size < self.size:
            return not self.compressed
        if not (self.live and self.head_bytes) or stat.mtime_ns == self.mtime_ns:
            return False
        head = disk.pread(self.fd, self.head_bytes, 0)
        return line_digest(head[: head.find(b"\n") + 1] or head) != self.generation.digest

    def seems_begun_again(self, disk: Disk) -> bool:
        """The same, as cheap as can be: asked after each read."""
        if self.compressed:
            return False
        if self.live and self.head_bytes:
            return self.begun_again(disk.fstat(self.fd), disk)
        return disk.size(self.fd) < self.size

    def reader(self, world: World) -> Reader:
        """A reader of one's own: a decoder has a place where it is."""
        return _OpenFile(self, world)

    @contextmanager
    def being_read(self) -> Iterator[None]:
        """No descriptor of it is closed meanwhile."""
        self.readers += 1
        try:
            yield
        finally:
            self.readers -= 1

    def drop(self, why: LetGo) -> None:
        """Let go of it; `idle` says when its descriptor may be closed."""
        self.to_close.append(self.fd)
        self.fd, self.inode = -1, (0, 0)
        self.let_go, self.live = why, False

    def exchange(self, fd: int, stat: Stat) -> None:
        """Go on with a compressed copy of it."""
        self.to_close.append(self.fd)
        self.fd, self.inode, self.links = fd, (stat.device, stat.inode), stat.links
        self.compressed, self.live, self.copy = True, False, None
        self.disk_bytes = stat.size

    def go_on_in(self, copy: "LogGeneration") -> None:
        """It was truncated, and this is the copy that was made before; or it is open again."""
        if self.fd >= 0:
            self.to_close.append(self.fd)
        self.fd, self.inode, self.links = copy.fd, copy.inode, copy.links
        self.size, self.compressed = copy.size, copy.compressed
        if self.size >= self.truncated_from:
            self.truncated_from = 0
        self.mtime_ns, self.disk_bytes = copy.mtime_ns, copy.disk_bytes

    def idle(self) -> list[int]:
        """Descriptors that nobody needs any more; they are given once."""
        if self.readers or not self.to_close:
            return []
        done, self.to_close = self.to_close, []
        return done

    def descriptors(self) -> list[int]:
        """All that are still open; they are given once."""
        done, self.to_close = self.to_close, []
        return [*done, self.fd] if self.fd >= 0 else done


class _OpenFile:
    """Reads a generation as long as it is there: in its file, or in the copy it goes on in."""

    def __init__(self, log: LogGeneration, world: World) -> None:
        self._log, self._world = log, world
        self._fd = -1
        self._zipped: Reader | None = None
        """Of a compressed file."""

    async def read(self, size: int, offset: int) -> bytes:
        log = self._log
        if log.let_go:
            return b""
        if log.fd != self._fd:
            self._fd = log.fd
            self._zipped = GzipReader(self._world, log.fd) if log.compressed else None
        log.readers += 1  # as `being_read`; that takes longer than reading a few lines
        try:
            if self._zipped is not None:
                chunk = await self._zipped.read(size, offset)
            else:
                chunk = await self._world.disk.read(self._fd, size, offset)
            again = log.fd == self._fd and log.seems_begun_again(self._world.disk)
        finally:
            log.readers -= 1
        if again:  # since the last look: these may be bytes of what comes after it
            return b""
        return b"" if log.let_go else chunk  # it counts as lost already
