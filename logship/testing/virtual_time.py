"""Runs a coroutine on virtual time: sleeping costs nothing, and a run can be repeated exactly.

The loop's selector never waits: when nothing is ready, time jumps to the next timer. Work in
threads is outside of this; use `InlineOffload` in place of `Offload`.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import ParamSpec, TypeVar

from logship.world import Clock, Disk, Offload, World

P = ParamSpec("P")
T = TypeVar("T")

EPOCH_NS = 1_795_000_000_000_000_000
"""Wall time when virtual time is 0."""


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that adds the time it would have waited instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if timeout is None and not ready:
            raise RuntimeError("nothing is ready and no timer is set: the run would wait for ever")
        if not ready:
            self.now += max(0.0, timeout or 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


class VirtualClock(Clock):
    """The clock of the running virtual loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_ns(self) -> int:
        return EPOCH_NS + int(self.now() * 1e9)


class InlineOffload(Offload):
    """Calls at once: a virtual run has no threads."""

    def __init__(self) -> None:
        super().__init__(1)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        await asyncio.sleep(0)
        return call(*args, **kwargs)


def virtual_world() -> World:
    """Virtual time, the real disk, no threads."""
    offload = InlineOffload()
    return World(VirtualClock(), Disk(offload), offload)


def run_virtual(work: Coroutine[None, None, T]) -> T:
    """The coroutine's result, on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
