"""One write: tried until the sink has taken or refused each row, or given back to the feeds.

What a try came to is told to the circuit, which says how long the next one waits. When the wait is
long the batches are released (the log on disk is the queue). Nothing is settled before it is
durable somewhere, and a write that was given up settles nothing.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logship.api import Sink
from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.circuit import RELEASE_SECS, Circuit
from logship.delivery.parcel import Parcel
from logship.delivery.verdict import Verdict, longest_wait, throttled, verdicts
from logship.outcome import Outcome, Refused, Retry
from logship.world import Clock

_LOG_SECS = 60.0
"""The same trouble is worth a line in our own log so often."""
_LOUD_FAILURES = (1, 5)
"""Failures in a row that are."""

Bury = Callable[[Parcel, Batch, Sequence[Refused]], None]
"""Where refused rows go; it ends a part of the parcel."""


@dataclass(eq=False, slots=True)
class Write:
    parcels: list[Parcel]
    """Those with rows that are not delivered."""
    full: bool
    """As large as writes get: its round trip can be compared."""
    tries: int = 0
    began: float | None = None
    """The try that is on its way; None: it waits for the next one."""
    task: asyncio.Task[None] | None = None

    def release(self) -> None:
        """Give everything back."""
        for parcel in self.parcels:
            parcel.release()
        self.parcels = []

    def give_up(self) -> None:
        """End it now; what the sink may have taken of it is sent again, under the same ids."""
        self.release()
        if self.task is not None:
            self.task.cancel()


class Writer:
    """Of one route."""

    def __init__(
        self,
        sink: Sink,
        circuit: Circuit,
        bury: Bury,
        counters: RouteCounters,
        clock: Clock,
        logger: logging.Logger,
        timeout_secs: float,
        crowded: Callable[[], bool],
    ) -> None:
        """`crowded`: whether there are more writes than may be."""
        self._timeout_secs, self._crowded = timeout_secs, crowded
        self._sink, self._name, self._circuit, self._bury = sink, sink.context.name, circuit, bury
        self._counters, self._clock, self._log = counters, clock, logger
        self._logged_at: dict[int | None, float] = {}

    async def deliver(self, write: Write) -> None:
        """Until it is done, or given back."""
        while write.parcels:
            wait = await self._try(write)
            if not write.parcels:
                return
            self._counters.retries += 1
            one_too_many = self._circuit.open and self._crowded()  # a single one probes
            if one_too_many or not await self._wait(wait):
                write.release()

    async def _wait(self, wait: float) -> bool:
        """Sleep until the next try; False: that is too long to hold anything."""
        end = self._clock.now() + wait
        while True:
            now = self._clock.now()
            left = max(end - now, self._circuit.wait_secs(now))
            if left >= RELEASE_SECS:
                return False
            if left <= 0:
                return True
            self._counters.backoff_secs += left
            await self._clock.sleep(left)

    async def _try(self, write: Write) -> float:
        """How many seconds from now the rest of it should go again."""
        batches = [parcel.batch for parcel in write.parcels]
        self._counters.writes += 1
        write.tries += 1
        write.began = began = self._clock.now()
        limit = asyncio.timeout(self._timeout_secs)
        try:
            async with limit:
                outcome = await self._sink.write(batches)
            found = verdicts(batches, outcome)
        except Retry as retry:
            return self._failed(write, began, retry)
        except (Exception, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                raise
            if limit.expired():
                reason = f"no answer in {self._timeout_secs:g} s"
                return self._failed(write, began, Retry(reason), "timed_out")
            self._bug(error)
            reason = f"{type(error).__name__}: {error}"
            return self._failed(write, began, Retry(reason), "bug")
        finally:
            write.began = None
            self._counters.write_latency.observe(self._clock.now() - began)
        if not write.parcels:
            return 0.0  # given up meanwhile, by a sink that cannot be cancelled
        self._counters.alter(outcome.altered)
        self._apply(write, found)
        return self._judge(write, began, outcome, found)

    def _apply(self, write: Write, found: Sequence[Verdict]) -> None:
        left = []
        for parcel, verdict in zip(write.parcels, found, strict=True):
            self._counters.deliver(parcel.batch, verdict.delivered, verdict.left, verdict.refused)
            if verdict.refused:
                parcel.parts += 1
                self._bury(parcel, parcel.batch, verdict.refused)
            if verdict.left is None:
                parcel.end_part()
            else:
                parcel.batch = verdict.left
                left.append(parcel)
        write.parcels = left

    def _judge(
        self, write: Write, began: float, outcome: Outcome, found: Sequence[Verdict]
    ) -> float:
        now, counters = self._clock.now(), self._counters
        if not write.parcels:
            counters.writes_by_result["delivered"] += 1
            was_open = self._circuit.open
            full = write.full and write.tries == 1
            self._circuit.succeeded(began, now, random.random(), full=full)  # noqa: S311 - jitter
            if was_open and not self._circuit.open and self._is_news(0):
                self._log.info("sink %s works again", self._name)
            return 0.0
        reason, after, less = outcome.again[0].reason, longest_wait(outcome), throttled(outcome)
        if not any(verdict.delivered or verdict.refused for verdict in found):
            return self._failed(write, began, Retry(reason, after, throttled=less))
        counters.writes_by_result["partial"] += 1
        counters.throttled += less
        wait = self._circuit.partly(
            began, now, after, random.random(), write.tries, throttled=less  # noqa: S311 - jitter
        )  # fmt: skip
        self._say(1, reason, wait)
        return wait

    def _failed(self, write: Write, began: float, retry: Retry, result: str | None = None) -> float:
        counters = self._counters
        counters.writes_by_result[result or ("throttled" if retry.throttled else "failed")] += 1
        counters.throttled += retry.throttled
        wait = self._circuit.failed(
            began, self._clock.now(), retry.after, random.random(),  # noqa: S311 - jitter
            write.tries, throttled=retry.throttled,
        )  # fmt: skip
        self._say(self._circuit.failures, retry.reason, wait)
        return wait

    def _say(self, failures: int, reason: str, wait: float) -> None:
        self._counters.fail(reason, self._clock.wall_ns())
        loud = failures in _LOUD_FAILURES and self._is_news(failures)
        level = logging.WARNING if loud else logging.DEBUG
        self._log.log(level, "sink %s: %s; next try in %.1f s", self._name, reason, wait)

    def _bug(self, error: BaseException) -> None:
        self._counters.bugs += 1
        if self._is_news(None):
            self._log.error("a bug in sink %s; nothing is lost", self._name, exc_info=error)

    def _is_news(self, what: int | None) -> bool:
        now = self._clock.now()
        if now - self._logged_at.get(what, -_LOG_SECS) < _LOG_SECS:
            return False
        self._logged_at[what] = now
        return True
