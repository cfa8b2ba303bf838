"""A route on an origin: a feed, with the row conditions that hold for it."""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from logship.api import Feed
from logship.batch import Batch
from logship.conditions import Selection

QUANTUM_BYTES = 1024 * 1024
"""How much a route reads of one origin before it turns to the next."""


class Ready(Protocol):
    """Where a binding says that there may be something to take."""

    def ready(self, binding: "Binding") -> None: ...


@dataclass(eq=False, slots=True)
class Binding:
    feed: Feed
    selection: Selection
    route: Ready
    blocked: bool = False
    """Its dead letters cannot be written: it reads nothing new."""
    queued: bool = False
    quantum: int = 0

    def settle(self, batch: Batch) -> None:
        self.feed.settle(batch)

    def release(self, batch: Batch) -> None:
        self.feed.release(batch)

    def wake(self) -> None:
        """There may be something to take."""
        if not self.blocked:
            self.route.ready(self)


class RoundRobin:
    """Bindings that may have something; each in turn, a quantum of bytes at a time."""

    def __init__(self) -> None:
        self._queue: deque[Binding] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, binding: Binding) -> None:
        if not binding.queued:
            binding.queued = True
            self._queue.append(binding)

    def next(self) -> Binding:
        """The binding whose turn it is; it must be given back by `took` or it is idle."""
        binding = self._queue.popleft()
        binding.queued = False
        return binding

    def took(self, binding: Binding, size: int) -> None:
        """It gave `size` bytes and may have more: it goes on until its quantum is used up."""
        binding.quantum += size
        if binding.quantum >= QUANTUM_BYTES:
            binding.quantum = 0
            self.add(binding)
        elif not binding.queued:
            binding.queued = True
            self._queue.appendleft(binding)
