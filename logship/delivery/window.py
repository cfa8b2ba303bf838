"""How many writes may be on their way to a sink at once. Plain decisions on numbers.

Additive increase and multiplicative decrease, one step for each round trip (Jacobson, "Congestion
avoidance and control", 1988; Vector's adaptive request concurrency does the same for HTTP):

    a write was refused or got no answer    half of it; those on their way together count once
    writes queue at the destination         a tenth less
    a write was due and none was allowed    one more, if hardly any queues

How many of our writes queue is TCP Vegas's estimate (Brakmo and Peterson, 1995): in a round trip
longer than `base`, the shortest of late, window * (1 - base / round trip) of them were waiting.
That is less than the window; and a constant latency, however long, is no sign of a queue. Only
full writes are measured: small ones are faster.
"""

START = 2
"""2 MiB a round trip, 20 MB/s at 100 ms: twice what a loud node writes, so there is no need to
find the limit fast."""
MIN, MAX = 1, 6
"""6 MiB a round trip are 60 MB/s at 100 ms, more than a node writes. Each write holds several times
its size: with 32 of them the agent was twice as large, and not faster."""
GROW_BELOW, SHRINK_ABOVE = 2.0, 4.0
"""Writes that queue, as Linux has it (tcp_vegas, alpha and beta): enough that the destination never
waits for us, and no more, since each holds memory. A window of SHRINK_ABOVE is never too large by
slowness alone."""
_SHRINK = 0.9
_NEWEST = 0.4
"""Weight of the newest round trip in the average, as Vector's `ewma_alpha`."""
BASE_SECS = 60.0
"""A shortest round trip is believed for one to two times as long: routes and servers change."""

_UNUSUAL_SECS, _UNUSUAL_TIMES = 1.0, 4.0


class Window:
    def __init__(self) -> None:
        self.size = float(START)
        self._reached = False
        self._halved_at = self._stepped_at = 0.0
        self._average: float | None = None
        self._base = self._base_before = float("inf")
        self._base_since = 0.0

    @property
    def limit(self) -> int:
        return int(self.size)

    def reached(self) -> None:
        """A write was due, and the window did not allow it: more could be used."""
        self._reached = True

    def answered(self, began: float, now: float, *, full: bool) -> None:
        """A write came back that had begun then; `full`: as large as writes get."""
        if full:
            self._measure(now - began, now)
        if began < max(self._halved_at, self._stepped_at):
            return  # it says nothing about the window as it is since
        queued = self.queued
        if queued > SHRINK_ABOVE:
            self._step(self.size * _SHRINK, now)
        elif self._reached and queued < GROW_BELOW:
            self._step(self.size + 1, now)

    def refused(self, began: float, now: float) -> None:
        """A write that had begun then was too much for the destination, or was not answered."""
        if began >= self._halved_at:
            self._step(self.size / 2, now)
            self._halved_at = now

    def restart(self) -> None:
        """Open again from one write on."""
        self.size = float(MIN)

    @property
    def unusual_secs(self) -> float:
        """A full write that takes so long seems to hang."""
        return max(_UNUSUAL_SECS, _UNUSUAL_TIMES * (self._average or 0.0))

    @property
    def queued(self) -> float:
        """How many of our writes wait at the destination, by the round trips."""
        if self._average is None:
            return 0.0
        base = min(self._base, self._base_before)
        return self.size * (1 - base / self._average) if self._average > base else 0.0

    def _measure(self, secs: float, now: float) -> None:
        if now - self._base_since >= BASE_SECS:
            self._base_before, self._base = self._base, float("inf")
            self._base_since = now
        self._base = min(self._base, secs)
        before = secs if self._average is None else self._average
        self._average = before + _NEWEST * (secs - before)

    def _step(self, size: float, now: float) -> None:
        self.size = min(max(size, float(MIN)), float(MAX))
        self._reached, self._stepped_at = False, now
