"""How long something took, counted in buckets: fixed memory, one search to add."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

BOUNDS_SECS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds, inclusive, as Prometheus has them; the longest timeout of a sink is a minute."""


class Histogram:
    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: Sequence[float] = BOUNDS_SECS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self._counts)

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """(upper bound, how many were not above it), the last bound being infinity."""
        return zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True)
