"""inotify on files, as one process has it."""

from collections.abc import Callable

from logship.world.notices import Notices
from tests.simulation.disk import SimDisk
from tests.simulation.files import Node


class SimNotices(Notices):
    def __init__(self, disk: SimDisk) -> None:
        self._disk = disk
        self._watched: dict[int, Node] = {}
        self._told: list[int] = []
        self._on_notice: Callable[[], None] = lambda: None
        self._next = 0

    def start(self, on_notice: Callable[[], None]) -> None:
        self._on_notice = on_notice

    def watch(self, fd: int) -> int | None:
        node = self._disk.node(fd)
        for number, watched in self._watched.items():
            if watched is node:
                return number
        self._next += 1
        self._watched[self._next] = node
        return self._next

    def unwatch(self, number: int) -> None:
        self._watched.pop(number, None)

    def touched(self, node: Node) -> None:
        for number, watched in list(self._watched.items()):
            if watched is node:
                del self._watched[number]
                self._told.append(number)
                self._on_notice()

    def take(self) -> list[int] | None:
        told, self._told = self._told, []
        return told

    def close(self) -> None:
        self._watched.clear()
