"""One open file of an origin, and how its bytes are read."""

from dataclasses import dataclass
from typing import Protocol

from logship.rows.address import Generation
from logship.unzip import GzipReader
from logship.world import Disk, World


class Reader(Protocol):
    """Reads one generation. Not for concurrent use."""

    async def read(self, size: int, offset: int) -> bytes:
        """Up to `size` uncompressed bytes at `offset`; empty at the end. Raises OSError."""
        ...


@dataclass(frozen=True, slots=True)
class PlainReader:
    disk: Disk
    fd: int

    async def read(self, size: int, offset: int) -> bytes:
        return await self.disk.read(self.fd, size, offset)


class NothingReader:
    """Of a file that cannot be read any further."""

    async def read(self, size: int, offset: int) -> bytes:
        return b""


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
    truncated_from: int = 0
    """The size the file had when it was truncated."""

    def reader(self, world: World) -> Reader:
        """A reader of one's own: a decoder has a place where it is."""
        if self.compressed:
            return GzipReader(world, self.fd)
        return PlainReader(world.disk, self.fd)
