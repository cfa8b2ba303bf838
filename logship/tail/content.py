"""What a file contains, as far as its name depends on it (`naming.Content`)."""

from dataclasses import dataclass

from logship.tail.generation import LogGeneration
from logship.tail.unzip import DamagedFile, GzipReader
from logship.world import World

_COMPARED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileContent:
    world: World
    log: LogGeneration
    max_row_bytes: int

    def continues(self, offset: int) -> bool:
        """Rows begin after a newline, or where a line was cut because it is too long."""
        if offset == 0:
            return True
        size = min(offset, self.max_row_bytes)
        try:
            before = self._read(size, offset - size)
        except (OSError, DamagedFile):
            return False
        if len(before) < size:
            return False
        return before.endswith(b"\n") or (size == self.max_row_bytes and b"\n" not in before)

    def _read(self, size: int, offset: int) -> bytes:
        if self.log.compressed:
            return GzipReader(self.world, self.log.fd).peek(size, offset)
        return self.world.disk.pread(self.log.fd, size, offset)

    def now(self, other: LogGeneration) -> tuple[int, int]:
        if other.compressed or other.fd < 0:
            return other.size, other.mtime_ns
        stat = self.world.disk.fstat(other.fd)
        return stat.size, stat.mtime_ns

    def repeats(self, other: LogGeneration) -> bool:
        disk = self.world.disk
        if self.log.compressed or other.compressed or other.fd < 0:
            return False
        mine = disk.pread(self.log.fd, _COMPARED_BYTES, 0)
        fits = disk.fstat(self.log.fd).size <= self.now(other)[0]
        if fits and mine == disk.pread(other.fd, len(mine), 0):
            return True
        # Asked last: it may be truncated while one compares. The copy was made before that.
        return other.live and other.begun_again(disk.fstat(other.fd), disk)
