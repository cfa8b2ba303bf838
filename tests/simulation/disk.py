"""What one process sees of the node: its descriptors, and what is behind them.

A write is there at once, as in the page cache, and durable when its fsync returns, which may take
long; a process that is killed meanwhile was killed within the write: any prefix of it is left.
Reads may be cold and short. When the process is dead nothing changes any more.
"""

import asyncio
import errno
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logship.world import DirEntry, Disk, Space, Stat
from tests.simulation.files import Files, Node, split

DEVICE = 7
FULL = OSError(errno.ENOSPC, "No space left on device")
DEAD = OSError(errno.EIO, "the process is gone")


@dataclass
class Weather:
    """How the disk behaves now."""

    full: bool = False
    """The file system of the state directory."""
    sync_secs: float = 0.001
    cold: float = 0.0
    """How likely a read has to wait, and gives less than it was asked for."""
    fails: float = 0.0
    """How likely a read fails."""


@dataclass(eq=False)
class Write:
    """Not durable yet."""

    path: str
    node: Node
    size_before: int
    replaced: Node | None = None
    """What had the name before; None: this was appended."""


@dataclass(eq=False)
class _Open:
    node: Node
    path: str


class SimDisk(Disk):
    def __init__(self, files: Files, weather: Weather, chance: random.Random) -> None:
        self._files, self._weather, self._chance = files, weather, chance
        self._open: dict[int, _Open] = {}
        self._next = 3
        self.dead = False
        self.writes: list[Write] = []
        """In the hands of the kernel: their fsync has not returned."""
        self.on_durable: Callable[[str, bytes], None] = lambda path, content: None
        """Told of every write to the state directory that is durable, before its writer is."""

    def node(self, fd: int) -> Node:
        return self._open[fd].node

    def holds(self, node: Node) -> bool:
        return any(opened.node is node for opened in self._open.values())

    def nodes(self) -> list[Node]:
        return [opened.node for opened in self._open.values()]

    # Logs

    def scan(self, directory: str) -> list[DirEntry]:
        entries = self._files.directories.get(directory, {})
        return [DirEntry(name, node.number, False, False) for name, node in entries.items()]

    def stat(self, path: str) -> Stat | None:
        if path in self._files.directories:
            return Stat(DEVICE, 1, 0, self._files.changed_ns[path], 1)
        node = self._files.find(path)
        return _stat(node) if node else None

    def open(self, path: str, roots: Sequence[str] = ()) -> int:
        return self._opened(self._files.get(path), path)

    def _opened(self, node: Node, path: str) -> int:
        if self.dead:
            raise DEAD
        self._next += 1
        self._open[self._next] = _Open(node, path)
        node.open += 1
        return self._next

    def close(self, fd: int) -> None:
        if self.dead:
            return
        node = self._open.pop(fd).node
        node.open -= 1
        self._files.let_go(node)

    def fstat(self, fd: int) -> Stat:
        if self.dead:
            raise DEAD
        return _stat(self.node(fd))

    def size(self, fd: int) -> int:
        return self.fstat(fd).size

    def space(self, fd: int) -> Space:
        return Space(100 << 30, 50 << 30)

    def max_open_files(self) -> int:
        return 4096

    async def read(self, fd: int, size: int, offset: int) -> bytes:
        if self._weather.fails and self._chance.random() < self._weather.fails:
            raise OSError(errno.EIO, "Input/output error")
        if self._weather.cold and self._chance.random() < self._weather.cold:
            await asyncio.sleep(0.2 * self._chance.random())
            size = self._chance.randint(1, size)
        return self.pread(fd, size, offset)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        if self.dead:
            raise DEAD
        return bytes(memoryview(self.node(fd).content)[offset : offset + size])

    def birth_ns(self, fd: int) -> int:
        return self.node(fd).birth_ns

    def realpath(self, path: str) -> str:
        return path

    def read_bytes(self, path: str, max_bytes: int) -> bytes:
        content = bytes(self._files.get(path).content)
        if len(content) > max_bytes:
            raise ValueError(f"{path} is larger than {max_bytes} bytes")
        return content

    # The state directory

    def make_dir(self, path: str) -> None:
        self._files.make_dir(path)

    def append(self, path: str, content: bytes, *, sync: bool) -> int:
        self._may_write()
        node = self._files.find(path) or self._files.create(path)
        self.writes.append(Write(path, node, len(node.content)))
        self._files.write(node, content)
        return len(node.content)

    def replace(self, path: str, content: bytes) -> None:
        self._may_write()
        before = self._files.find(path) or Node(0, 0, 0)
        node = self._files.create(path, content)
        self.writes.append(Write(path, node, 0, before))

    def _may_write(self) -> None:
        if self.dead:
            raise DEAD
        if self._weather.full:
            raise FULL

    def durable(self) -> None:
        if self.dead:
            return
        writes, self.writes = self.writes, []
        for write in writes:
            self.on_durable(write.path, bytes(write.node.content[write.size_before :]))

    def rename(self, path: str, target: str) -> None:
        if self.dead:
            raise DEAD
        self._files.rename(path, target)

    def remove(self, path: str) -> None:
        if self.dead:
            raise DEAD
        self._files.unlink(path)

    def lock(self, path: str) -> int:
        return self._opened(self._files.find(path) or self._files.create(path), path)

    # Its end

    def end(self) -> None:
        """What the kernel does when a process ends; a write that was going on is torn."""
        self.dead = True
        for write in self.writes:
            self._tear(write)
        for opened in self._open.values():
            opened.node.open -= 1
            self._files.let_go(opened.node)

    def _tear(self, write: Write) -> None:
        end = len(write.node.content)
        left = self._chance.randint(write.size_before, end)
        if write.replaced is None:
            self._files.truncate(write.node, left)
        elif left < end:  # not renamed yet
            directory, name = split(write.path)
            if write.replaced.number:
                self._files.directories[directory][name] = write.replaced
                write.replaced.links = 1
            else:
                del self._files.directories[directory][name]
            self._files.create(f"{write.path}.new", bytes(write.node.content[:left]))


def _stat(node: Node) -> Stat:
    return Stat(DEVICE, node.number, len(node.content), node.mtime_ns, node.links)
