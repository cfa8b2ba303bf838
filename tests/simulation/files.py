"""The node's file system, in memory: it outlives the agent.

Inodes are numbers that are used again at once, as ext4 does: a number is free when the file has
neither a name nor a descriptor. Every change gets a time of its own, so that no two look alike only
because the run is quick.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from logship.testing.virtual_time import EPOCH_NS
from tests.simulation.loop import Time

LOGS, STATE = "/var/log/pods", "/var/lib/logship"


@dataclass(eq=False)
class Node:
    """One file."""

    number: int
    birth_ns: int
    mtime_ns: int
    content: bytearray = field(default_factory=bytearray)
    links: int = 1
    open: int = 0
    """Descriptors."""


def split(path: str) -> tuple[str, str]:
    directory, _, name = path.rpartition("/")
    return directory, name


class Files:
    def __init__(self, time: Time, *, reuse: bool) -> None:
        """`reuse`: whether numbers are used again."""
        self._time, self._reuse = time, reuse
        self.directories: dict[str, dict[str, Node]] = {}
        self.changed_ns: dict[str, int] = {}
        self._free: list[int] = []
        self._next, self._last_ns = 100, 0
        self.on_touched: Callable[[Node], None] = lambda node: None
        """Told of every file that was written, renamed or unlinked."""
        self.on_changed: Callable[[str], None] = lambda directory: None
        """Told of every directory whose entries changed."""

    def tick(self) -> int:
        """A time (ns) that was never given before."""
        self._last_ns = max(self._last_ns + 1, EPOCH_NS + int(self._time.now * 1e9))
        return self._last_ns

    def make_dir(self, path: str) -> None:
        if path not in self.directories:
            self.directories[path] = {}
            self._changed(path)

    def remove_dir(self, path: str) -> None:
        del self.directories[path]
        self._changed(path)

    def find(self, path: str) -> Node | None:
        directory, name = split(path)
        return self.directories.get(directory, {}).get(name)

    def get(self, path: str) -> Node:
        node = self.find(path)
        if node is None:
            raise FileNotFoundError(2, "no such file", path)
        return node

    def create(self, path: str, content: bytes = b"") -> Node:
        """A new file; one that had the name loses it."""
        directory, name = split(path)
        entries = self.directories[directory]
        now = self.tick()
        node = Node(self._number(), now, now, bytearray(content))
        before, entries[name] = entries.get(name), node
        if before is not None:
            self._unlinked(before)
        self._changed(directory)
        return node

    def _number(self) -> int:
        if self._reuse and self._free:
            return self._free.pop()
        self._next += 1
        return self._next

    def write(self, node: Node, content: bytes) -> None:
        node.content += content
        node.mtime_ns = self.tick()
        self.on_touched(node)

    def truncate(self, node: Node, size: int) -> None:
        del node.content[size:]
        node.mtime_ns = self.tick()
        self.on_touched(node)

    def rename(self, path: str, target: str) -> None:
        node = self.get(path)
        directory, name = split(path)
        del self.directories[directory][name]
        self._changed(directory)
        directory, name = split(target)
        before = self.directories[directory].get(name)
        self.directories[directory][name] = node
        if before is not None:
            self._unlinked(before)
        self._changed(directory)
        self.on_touched(node)

    def unlink(self, path: str) -> None:
        node = self.get(path)
        directory, name = split(path)
        del self.directories[directory][name]
        self._unlinked(node)
        self._changed(directory)
        self.on_touched(node)

    def _unlinked(self, node: Node) -> None:
        node.links -= 1
        self.let_go(node)

    def let_go(self, node: Node) -> None:
        """A name or a descriptor of it is gone."""
        if not node.links and not node.open:
            self._free.append(node.number)

    def _changed(self, directory: str) -> None:
        self.changed_ns[directory] = self.tick()
        self.on_changed(directory)
