"""Whether a sink may be written to now, and how many writes at once. Plain decisions on numbers.

failures    in a row; they rule how long the next try waits (`backoff`). Writes on their way
            together that fail together count as one.
open        after OPEN_AFTER of them: one write at a time probes, and little is read for it
closed      by the first success; the window begins again with one write, and opens by one for
            each round trip
held        until a time that the destination named, for a long wait, and for the gap of a
            destination that throttles (`pace`): nothing is written at all
"""

from logship.delivery.backoff import MAX_LEVEL, delay_secs
from logship.delivery.pace import Pace
from logship.delivery.window import Window

OPEN_AFTER = 4
"""About two seconds of nothing but failures; the window is down to one write by then."""
RELEASE_SECS = 5.0
"""A wait as long as this is made without holding batches."""


class Circuit:
    def __init__(self) -> None:
        self.window = Window()
        self.failures = 0
        self._pace = Pace()
        self._failed_at = 0.0
        self._held_until = 0.0

    @property
    def open(self) -> bool:
        return self.failures >= OPEN_AFTER

    @property
    def limit(self) -> int:
        """Writes on their way at once."""
        return 1 if self.open or self._pace.gap_secs else self.window.limit

    def wait_secs(self, now: float) -> float:
        """How long nothing may be written."""
        return max(0.0, self._held_until - now)

    def pause_secs(self, now: float) -> float:
        """How long nothing should be read or held: the wait is long, or who knows what comes."""
        wait = self.wait_secs(now)
        return wait if self.open or wait >= RELEASE_SECS else 0.0

    def succeeded(self, began: float, now: float, chance: float, *, full: bool) -> None:
        self.failures = 0
        self.window.answered(began, now, full=full)
        self._pace.succeeded()
        if gap := self._pace.gap_secs:
            self._hold_until(now + gap * (0.75 + chance / 2))

    def failed(
        self, began: float, now: float, after: float | None, chance: float, tries: int = 1,
        *, throttled: bool,
    ) -> float:  # fmt: skip
        """Nothing of a write that had begun then was taken. Seconds until it may be tried again.

        `tries`: of this write. Where others succeed meanwhile, only this one waits longer.
        """
        if began >= self._failed_at:
            if throttled:
                self._throttled(now - began)
            self.failures = min(self.failures + 1, MAX_LEVEL)
            self._failed_at = now
        self.window.refused(began, now)
        if self.open:
            self.window.restart()
        wait = max(delay_secs(self.failures, after, chance), self._pace.gap_secs / 2)
        if after is not None or wait >= RELEASE_SECS:
            self._hold_until(now + wait)
        return max(wait, delay_secs(tries, after, chance))

    def given_up(self, began: float, now: float) -> None:
        """A write was ended because it took too long."""
        self.window.refused(began, now)

    def partly(
        self, began: float, now: float, after: float | None, chance: float, tries: int,
        *, throttled: bool,
    ) -> float:  # fmt: skip
        """Some rows of a write have to come again, others were taken: the sink is not away."""
        if throttled:
            self.window.refused(began, now)
        wait = delay_secs(max(tries, self.failures), after, chance)
        if after is not None:
            self._hold_until(now + wait)
        return wait

    def _throttled(self, round_trip_secs: float) -> None:
        if self.limit == 1:
            self._pace.refused(round_trip_secs)

    def _hold_until(self, until: float) -> None:
        self._held_until = max(self._held_until, until)
