"""Less than one write at a time: a gap between writes, for a destination with a quota.

A refusal when only one write was on its way makes the gap longer, success makes it shorter. It
grows once for each success, not for each refusal: a spell in which everything is refused says
nothing about how much is allowed afterwards. Steps are such that it shrinks when less than 47 % of
tries are refused at random, and settles close to the quota when the quota is what refuses.
"""

MAX_SECS = 30.0
_LEAST_SECS = 0.05
_GROW, _SHRINK = 1.5, 0.7


class Pace:
    def __init__(self) -> None:
        self.gap_secs = 0.0
        self._refused = False
        """Since the last success."""

    def refused(self, round_trip_secs: float) -> None:
        if not self._refused:
            begin = max(_LEAST_SECS, round_trip_secs)
            self.gap_secs = min(MAX_SECS, max(begin, self.gap_secs * _GROW))
        self._refused = True

    def succeeded(self) -> None:
        if not self._refused:
            self.gap_secs *= _SHRINK
            if self.gap_secs < _LEAST_SECS:
                self.gap_secs = 0.0
        self._refused = False
