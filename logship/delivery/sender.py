"""Takes a route's batches to its sink, and says when they are settled.

Batches of many origins are gathered (`pending`) until bytes or age say so; as many writes are in
flight as the sink takes well (`window`); each is tried until it is done (`write`). While the sink
fails one write probes, little is held and the route pauses (`circuit`). A refused row goes to the
dead letters and holds nothing but its own binding. Nothing is settled before it is durable.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from functools import partial
from operator import itemgetter

from logship.api import Sink
from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.burial import Burial
from logship.delivery.circuit import Circuit
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.parcel import Parcel, Reader
from logship.delivery.pending import Pending
from logship.delivery.rate import Rate
from logship.delivery.terms import Terms
from logship.delivery.write import Write, Writer
from logship.outcome import Refused
from logship.world import Clock

_TERMS = Terms()


class Sender:
    def __init__(
        self,
        sink: Sink,
        budget: Budget,
        dead_letters: DeadLetters,
        counters: RouteCounters,
        clock: Clock,
        logger: logging.Logger,
        terms: Terms = _TERMS,
        rate: Rate | None = None,
    ) -> None:
        """`rate` is common to all routes to the sink."""
        self._rate = rate
        self._budget, self._counters, self._clock, self._log = budget, counters, clock, logger
        self._burial = Burial(sink.context.name, dead_letters, counters, clock, logger)
        self._circuit = Circuit()
        self._writer = Writer(
            sink, self._circuit, self._bury, counters, clock, logger, terms.write_timeout_secs,
            lambda: self.in_flight > self._circuit.limit,
        )  # fmt: skip
        self._pending = Pending(sink.request_bytes, terms.max_delay_secs)
        self._writes: set[Write] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()
        self._drained = False
        """No write begins any more."""
        counters.window = self._circuit.limit
        budget.borrower = self

    @property
    def idle(self) -> bool:
        return not self._pending and not self._tasks

    @property
    def in_flight(self) -> int:
        """Writes that have not ended."""
        return len(self._writes)

    @property
    def paused_secs(self) -> float:
        """How long the route should not read: nothing will be written."""
        return self._circuit.pause_secs(self._clock.now())

    @property
    def failing(self) -> bool:
        """Whether the last write failed."""
        return self._circuit.failures > 0

    def offer(self, reader: Reader, batch: Batch) -> None:
        """Take over a batch."""
        parcel = Parcel(reader, batch, self._budget, self._counters, batch.held_bytes())
        parcel.hold()
        self.send(parcel)

    def send(self, parcel: Parcel) -> None:
        """Take over what is held already."""
        self._pending.add(parcel, self._clock.now())
        self._changed.set()

    @property
    def full(self) -> bool:
        """Whether the next write is, and has not started: reading on would only hoard."""
        if self._circuit.open:
            return bool(self._pending or self._writes)
        return self._pending.full

    async def turn(self) -> None:
        """Wait while it is full."""
        while self.full:
            self._moved.clear()
            await self._moved.wait()

    def hurry(self) -> None:
        """Do not wait for more company: the budget is used up, or the agent stops."""
        self._pending.hurried = True
        self._changed.set()

    @property
    def stalled(self) -> bool:
        """Whether the sink fails, or a write gets no answer: more memory would be of no use."""
        return self._circuit.open or bool(self._hanging())

    def _hanging(self) -> list[tuple[float, Write]]:
        """Writes that take unusually long, with when they began."""
        late = self._clock.now() - self._circuit.window.unusual_secs
        return [(w.began, w) for w in self._writes if w.began is not None and w.began <= late]

    def reclaim(self, size: int) -> None:
        """Release about so much of what the budget has borrowed: another route needs it."""
        enough = max(0, self._budget.borrowed - size)
        for give_back in self._reclaimable():
            if self._budget.borrowed <= enough:
                return
            give_back()

    def _reclaimable(self) -> Iterator[Callable[[], None]]:
        """What to release first: what waits, then writes that hang, the newest first."""
        yield from [write.give_up for write in self._writes if write.began is None]
        yield self._release_pending
        for began, write in sorted(self._hanging(), key=itemgetter(0), reverse=True):
            yield partial(self._give_up, write, began)

    def _give_up(self, write: Write, began: float) -> None:
        self._counters.writes_by_result["given_up"] += 1
        self._circuit.given_up(began, self._clock.now())
        write.give_up()

    def _release_pending(self) -> None:
        for parcel in self._pending.take():
            parcel.release()
        self._moved.set()

    async def run(self) -> None:
        """Send what is offered, until cancelled."""
        while True:
            await self._until_due()
            if self._rate is None:
                self._begin()
                continue
            began = self._clock.now()
            async with self._rate.turn():
                self._counters.waited_for_rate_secs += self._clock.now() - began
                if self._pending and self.in_flight < self._circuit.limit and self._may_begin():
                    self._rate.spend(self._pending.bytes)
                    self._begin()

    def _may_begin(self) -> bool:
        return not (self._drained or self.paused_secs)

    def _begin(self) -> None:
        write = Write(full=self._pending.full, parcels=self._pending.take())
        self._moved.set()
        self._writes.add(write)
        write.task = self._spawn(self._deliver(write))

    async def _until_due(self) -> None:
        while True:
            self._changed.clear()
            wait = self._due_secs()
            if wait is not None and wait <= 0:
                if len(self._writes) < self._circuit.limit:
                    return
                self._circuit.window.reached()
                wait = None
            # Not wait_for: in Python 3.11 it swallows a cancellation that meets the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._changed.wait()

    def _due_secs(self) -> float | None:
        """Seconds until the pending batches should go; None: there are none."""
        now = self._clock.now()
        due = None if self._drained else self._pending.due_secs(now)
        return None if due is None else max(due, self._circuit.wait_secs(now))

    async def _deliver(self, write: Write) -> None:
        try:
            await self._writer.deliver(write)
        finally:
            self._writes.discard(write)
            self._counters.window = self._circuit.limit
            if self.paused_secs:
                self._release_pending()  # nothing is held while the sink is away
            self._moved.set()

    def _bury(self, parcel: Parcel, batch: Batch, refused: Sequence[Refused]) -> None:
        self._spawn(self._burial.bury(parcel, batch, refused))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.critical("a bug: a delivery ended in mid-air", exc_info=error)

    def give_up(self) -> None:
        """Give everything back: what the sink may have taken of it is sent again, as always."""
        self._release_pending()
        for write in list(self._writes):
            write.give_up()

    async def drain(self, timeout_secs: float) -> None:
        """Send what is pending, wait for what is in flight; what is left stays unsettled."""
        end = self._clock.now() + timeout_secs
        while not self.idle and (left := end - self._clock.now()) > 0:
            self.hurry()
            waiting = self._tasks or {asyncio.ensure_future(self._clock.sleep(0.01))}
            await asyncio.wait(waiting, timeout=min(left, 0.1))
        self._drained = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
