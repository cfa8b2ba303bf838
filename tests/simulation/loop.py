"""An event loop that does one thing at a time, when it is told to.

Whoever drives it may let the world change, or the process end, between any two steps of any task:
a step runs until the next await. Nothing waits; time is a number that all loops of a run share. A
step costs a moment, as it does in life: a rest of 1e-17 s, left by rounding, would last for ever.

Tasks hash by the order they were made in, not by their place in memory: sets of them are iterated
in the same order in every run.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STEP_SECS = 2e-6


@dataclass
class Time:
    """Of a whole run: it goes on while no process runs."""

    now: float = 0.0


class SimTask(asyncio.Task[Any]):
    def __init__(self, coro: Any, *, loop: "SimLoop", **more: Any) -> None:
        self.number = loop.number()
        super().__init__(coro, loop=loop, **more)

    def __hash__(self) -> int:
        return self.number


class SimLoop(asyncio.AbstractEventLoop):  # without what reaches out of a simulation
    def __init__(self, time: Time) -> None:
        self._time = time
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = 0
        self.steps = 0
        self.problems: list[str] = []

    def number(self) -> int:
        self._numbers += 1
        return self._numbers

    # For whoever drives it

    def step(self) -> bool:
        """Run what is next, up to its next await; False: nothing is ready now."""
        while self._timers and self._timers[0][0] <= self._time.now:
            self._ready.append(heappop(self._timers)[2])
        while self._ready:
            handle = self._ready.popleft()
            if handle.cancelled():
                continue
            self._time.now += STEP_SECS
            self.steps += 1
            handle._run()
            return True
        return False

    def next_timer(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def tasks(self) -> list[SimTask]:
        found = [task for task in asyncio.all_tasks(self) if isinstance(task, SimTask)]
        return sorted(found, key=lambda task: task.number)

    # For asyncio

    def time(self) -> float:
        return self._time.now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:  # fmt: skip
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        return self.call_at(self._time.now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:  # fmt: skip
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, self.number(), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        return SimTask(coro, loop=self, name=name, context=context)

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if "never retrieved" not in context["message"]:  # said whenever memory is tidied up
            self.problems.append(f"{context['message']}: {context.get('exception')!r}")
