"""Takes a route's batches to its sink, and says when they are settled.

Batches of many origins are gathered until bytes or age say so; several writes are in flight. A
write that fails is tried again with backoff; when the wait is long the batches are released (the
log on disk is the queue), the route pauses, and one write probes. A refused row goes to the dead
letters and holds nothing but its own binding. Nothing is settled before it is durable somewhere.
"""

import asyncio
import logging
import random
from collections.abc import Coroutine, Sequence
from contextlib import suppress

from logship.api import Sink
from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.backoff import delay_secs
from logship.delivery.burial import Burial
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.parcel import Parcel, Reader
from logship.delivery.verdict import longest_wait, verdicts
from logship.outcome import Outcome, Retry
from logship.world import Clock

MAX_DELAY_SECS = 0.1
"""How long a row may wait for company."""
RELEASE_SECS = 5.0
"""A wait longer than this is made without holding batches."""
WINDOW = 4
"""Writes in flight."""
_BUG_LOG_SECS = 60.0
_LOUD_FAILURES = (1, 5)
"""Failures in a row that are worth a line in our own log."""


class Sender:
    def __init__(
        self,
        sink: Sink,
        budget: Budget,
        dead_letters: DeadLetters,
        counters: RouteCounters,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        self._sink, self._name = sink, sink.context.name
        self._budget, self._counters, self._clock, self._log = budget, counters, clock, logger
        self._burial = Burial(self._name, dead_letters, counters, clock, logger)
        self._window = WINDOW
        self._pending: list[Parcel] = []
        self._pending_bytes = 0
        self._oldest_at = 0.0
        self._hurry = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.in_flight = 0
        """Writes that have not ended."""
        self._changed = asyncio.Event()
        self._took = asyncio.Event()
        self._failures = 0
        self._failed_at = 0.0
        self._paused_until = 0.0
        self._bug_logged_at = -_BUG_LOG_SECS

    @property
    def idle(self) -> bool:
        return not self._pending and not self._tasks

    @property
    def window(self) -> int:
        """Writes that may be in flight at once, now."""
        return self._window

    @property
    def paused_secs(self) -> float:
        """How long the route should not read: the sink is failing."""
        return max(0.0, self._paused_until - self._clock.now())

    def offer(self, reader: Reader, batch: Batch) -> None:
        """Take over a batch."""
        if not self._pending:
            self._oldest_at = self._clock.now()
        held = batch.held_bytes()
        self._budget.hold(held)
        self._counters.hold(batch)
        self._pending.append(Parcel(reader, batch, self._budget, self._counters, held))
        self._pending_bytes += batch.size()
        self._changed.set()

    @property
    def full(self) -> bool:
        """Whether the next write is, and has not started: reading on would only hoard."""
        return self._pending_bytes >= self._sink.request_bytes

    async def turn(self) -> None:
        """Wait while it is full."""
        while self.full:
            self._took.clear()
            await self._took.wait()

    def hurry(self) -> None:
        """Do not wait for more company: the budget is used up, or the agent stops."""
        self._hurry = True
        self._changed.set()

    async def run(self) -> None:
        """Send what is offered, until cancelled."""
        while True:
            await self._until_due()
            self.in_flight += 1
            self._spawn(self._deliver(self._take_pending()))

    def _take_pending(self) -> list[Parcel]:
        pending, self._pending = self._pending, []
        self._pending_bytes, self._hurry = 0, False
        self._took.set()
        return pending

    async def _until_due(self) -> None:
        while True:
            self._changed.clear()
            wait = self._due_secs()
            if wait is not None and wait <= 0 and self.in_flight < self._window:
                return
            timeout = wait if wait is not None and wait > 0 else None
            # Not wait_for: in Python 3.11 it swallows a cancellation that meets the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait()

    def _due_secs(self) -> float | None:
        """Seconds until the pending batches should go; None: there are none."""
        if not self._pending:
            return None
        if self._hurry or self.full:
            return 0.0
        return self._oldest_at + MAX_DELAY_SECS - self._clock.now()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.critical("a bug: a delivery ended in mid-air", exc_info=error)

    async def _deliver(self, parcels: list[Parcel]) -> None:
        try:
            while parcels:
                parcels, wait = await self._try(parcels)
                if not parcels:
                    return
                self._counters.retries += 1
                if wait >= RELEASE_SECS:
                    self._release(parcels, wait)
                    return
                await self._clock.sleep(wait)
        finally:
            self.in_flight -= 1

    async def _try(self, parcels: list[Parcel]) -> tuple[list[Parcel], float]:
        """(what must go again, how many seconds from now)."""
        batches = [parcel.batch for parcel in parcels]
        self._counters.writes += 1
        began = self._clock.now()
        try:
            outcome = await self._write(batches)
            found = verdicts(batches, outcome)
        except Retry as retry:
            return parcels, self._failed(began, retry.reason, retry.after)
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            self._bug(error)
            return parcels, self._failed(began, f"{type(error).__name__}: {error}", None)
        left = []
        self._counters.alter(outcome.altered)
        for parcel, verdict in zip(parcels, found, strict=True):
            self._counters.deliver(parcel.batch, verdict.delivered, verdict.left, verdict.refused)
            if verdict.refused:
                parcel.parts += 1
                self._spawn(self._burial.bury(parcel, parcel.batch, verdict.refused))
            if verdict.left is None:
                parcel.end_part()
            else:
                parcel.batch = verdict.left
                left.append(parcel)
        if left:
            return left, self._failed(began, outcome.again[0].reason, longest_wait(outcome))
        self._succeeded()
        return left, 0.0

    async def _write(self, batches: Sequence[Batch]) -> Outcome:
        began = self._clock.now()
        try:
            return await self._sink.write(batches)
        finally:
            self._counters.write_latency.observe(self._clock.now() - began)

    def _release(self, parcels: Sequence[Parcel], wait: float) -> None:
        """Hold nothing while the sink is away; the route begins again with one write."""
        self._paused_until = max(self._paused_until, self._clock.now() + wait)
        self._window = 1
        for parcel in [*parcels, *self._take_pending()]:
            parcel.release()

    def _failed(self, began: float, reason: str, after: float | None) -> float:
        """Seconds to wait. Writes in flight together that fail together count as one failure."""
        if began >= self._failed_at:
            self._failures += 1
            self._failed_at = self._clock.now()
        self._counters.fail(reason, self._clock.wall_ns())
        wait = delay_secs(self._failures, after, random.random())  # noqa: S311 - jitter
        level = logging.WARNING if self._failures in _LOUD_FAILURES else logging.DEBUG
        self._log.log(level, "sink %s: %s; next try in %.1f s", self._name, reason, wait)
        return wait

    def _succeeded(self) -> None:
        if self._failures >= _LOUD_FAILURES[-1]:
            self._log.info("sink %s works again", self._name)
        self._failures = 0
        self._window = WINDOW

    def _bug(self, error: BaseException) -> None:
        self._counters.bugs += 1
        now = self._clock.now()
        if now - self._bug_logged_at >= _BUG_LOG_SECS:
            self._bug_logged_at = now
            self._log.error("a bug in sink %s; nothing is lost", self._name, exc_info=error)

    async def drain(self, timeout_secs: float) -> None:
        """Send what is pending, wait for what is in flight; what is left stays unsettled."""
        end = self._clock.now() + timeout_secs
        while not self.idle and (left := end - self._clock.now()) > 0:
            self._hurry = True
            self._changed.set()
            waiting = self._tasks or {asyncio.ensure_future(self._clock.sleep(0.01))}
            await asyncio.wait(waiting, timeout=min(left, 0.1))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
