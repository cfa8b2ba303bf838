"""The agent's world: the real disk on virtual time, which can end at any moment.

`during` lets something happen to the files between two of the agent's own calls, or while it reads
a directory (POSIX promises nothing about entries that move meanwhile: they are seen under neither
name). Once `dead`, nothing is written any more: what a crash leaves in the state directory is what
was there before it.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ParamSpec, TypeVar

from logship.testing.virtual_time import InlineOffload, VirtualClock, VirtualLoop
from logship.world import DirEntry, Disk, Stat, World
from tests.property.agent_model.tree import Tree

P = ParamSpec("P")
T = TypeVar("T")


class TickingLoop(VirtualLoop):
    """Time also goes on by itself: a rest of 1e-17 s, left by rounding, would last for ever."""

    def time(self) -> float:
        self._jumping.now += 1e-9
        return super().time()


class ModelOffload(InlineOffload):
    """Work in threads may end long before the one who waits for it hears of it."""

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result = await super().run(call, *args, **kwargs)
        await asyncio.sleep(0)
        return result


class ModelDisk(Disk):
    def __init__(self, tree: Tree, offload: InlineOffload) -> None:
        super().__init__(offload)
        self._tree = tree
        self._countdown, self._action = 0, _nothing
        self.fds: set[int] = set()
        self.dead = False

    def during(self, calls: int, action: Callable[[], None]) -> None:
        """Do it when the agent has made so many calls more."""
        self._countdown, self._action = calls, action

    def _moment(self) -> bool:
        self._countdown -= 1
        if self._countdown >= 0 or self._action is _nothing:
            return False
        action, self._action = self._action, _nothing
        action()
        return True

    def scan(self, directory: str) -> list[DirEntry]:
        found = super().scan(directory)
        if self._moment():
            after = super().scan(directory)
            found = [entry for entry in found if entry in after]
        return [replace(entry, inode=self._tree.shown(entry.inode)) for entry in found]

    def stat(self, path: str) -> Stat | None:
        self._moment()
        found = super().stat(path)
        return found and found._replace(inode=self._tree.shown(found.inode))

    def fstat(self, fd: int) -> Stat:
        self._moment()
        found = super().fstat(fd)
        return found._replace(inode=self._tree.shown(found.inode))

    def size(self, fd: int) -> int:
        self._moment()
        return super().size(fd)

    def open(self, path: str, roots: Sequence[str] = ()) -> int:
        self._moment()
        fd = super().open(path, roots)
        self.fds.add(fd)
        return fd

    def close(self, fd: int) -> None:
        self.fds.remove(fd)
        super().close(fd)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        self._moment()
        return super().pread(fd, size, offset)

    def birth_ns(self, fd: int) -> int:
        return self._tree.births[os.fstat(fd).st_ino]

    def append(self, path: str, content: bytes, *, sync: bool) -> int:
        self._alive()
        return super().append(path, content, sync=sync)

    def replace(self, path: str, content: bytes) -> None:
        self._alive()
        super().replace(path, content)

    def rename(self, path: str, target: str) -> None:
        self._alive()
        super().rename(path, target)

    def lock(self, path: str) -> int:
        self._alive()
        fd = super().lock(path)
        self.fds.add(fd)
        return fd

    def _alive(self) -> None:
        if self.dead:
            raise OSError(errno.EIO, "the process is gone")

    def held(self) -> set[int]:
        """Real inodes that are open."""
        return {os.fstat(fd).st_ino for fd in self.fds}

    def deleted(self) -> int:
        """How many of the open files have no name any more."""
        return sum(os.fstat(fd).st_nlink == 0 for fd in self.fds)

    def end(self) -> None:
        """What the kernel does when a process ends."""
        self.dead = True
        for fd in self.fds:
            os.close(fd)
        self.fds = set()


def _nothing() -> None:
    """No action."""


@dataclass(frozen=True)
class ModelWorld:
    disk: ModelDisk
    world: World


def model_world(tree: Tree) -> ModelWorld:
    offload = ModelOffload()
    disk = ModelDisk(tree, offload)
    return ModelWorld(disk, World(VirtualClock(), disk, offload))
