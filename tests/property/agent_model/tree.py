"""Real files, written as a runtime and a kubelet do, with what a fast test must make up.

Virtual time runs thousands of times faster than the kernel's clock, so modification and birth times
are set to virtual ones: two changes of a directory never look like one only because the test is
quick. Inode numbers are given out here too, since the agent must not trust them and tmpfs hardly
ever uses one again: a file gets the number of one that is gone (and that nobody holds open).
"""

import os
from collections.abc import Callable
from pathlib import Path


class Tree:
    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._last_ns = 0
        self._next_inode = 1_000_000
        self._free: list[tuple[int, int]] = []
        self.inodes: dict[int, int] = {}
        """Real to shown."""
        self.births: dict[int, int] = {}
        """By real inode, in ns."""
        self.changed: Callable[[str], None] = lambda path: None
        """Told of every path that was made, moved or deleted."""
        self.held: Callable[[], set[int]] = set
        """Real inodes that the agent has open."""

    def tick(self) -> int:
        """A time (ns) that was never given before."""
        self._last_ns = max(self._last_ns + 1, self._now_ns())
        return self._last_ns

    def shown(self, real: int) -> int:
        return self.inodes.get(real, real)

    def make_dir(self, path: Path) -> None:
        if not path.parent.exists():
            self.make_dir(path.parent)  # which the kernel tells too
        path.mkdir()
        self._note(path)

    def remove_dir(self, path: Path) -> None:
        path.rmdir()
        self._note(path)

    def create(self, path: Path, content: bytes = b"", *, reuse: bool = False) -> None:
        path.write_bytes(content)
        real = path.stat().st_ino
        self.inodes[real] = self._inode(reuse)
        self.births[real] = self.tick()
        self._stamp(path)
        self._note(path)

    def _inode(self, reuse: bool) -> int:
        held = self.held()
        usable = [pair for pair in self._free if pair[0] not in held]
        if reuse and usable:
            self._free.remove(usable[-1])
            return usable[-1][1]
        self._next_inode += 1
        return self._next_inode

    def append(self, path: Path, content: bytes) -> None:
        with path.open("ab") as file:
            file.write(content)
        self._stamp(path)

    def truncate(self, path: Path) -> None:
        os.truncate(path, 0)
        self._stamp(path)

    def rename(self, path: Path, target: Path) -> None:
        path.rename(target)
        self._note(path)
        self._note(target)

    def unlink(self, path: Path) -> None:
        real = path.stat().st_ino
        path.unlink()
        self._free.append((real, self.inodes[real]))
        self._note(path)

    def _stamp(self, path: Path) -> None:
        now = self.tick()
        os.utime(path, ns=(now, now))

    def _note(self, path: Path) -> None:
        if path.parent.exists():
            self._stamp(path.parent)
        self.changed(str(path))
