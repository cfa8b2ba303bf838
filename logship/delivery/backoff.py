"""How long to wait before the next try. Plain functions of numbers.

Exponential with full jitter (Brooker, "Exponential backoff and jitter", AWS 2015): many agents that
fail together do not come back together. A time that the destination named is obeyed, and the jitter
comes on top of it: it tells all of them the same time.
"""

BASE_SECS = 0.25
MAX_SECS = 30.0
MAX_LEVEL = 8
"""BASE_SECS doubled so often is beyond MAX_SECS."""


def delay_secs(failures: int, after: float | None, chance: float) -> float:
    """`failures` in a row so far (from 1), the destination's wish, a random number in [0, 1)."""
    ceiling = min(MAX_SECS, BASE_SECS * 2.0 ** (min(failures, MAX_LEVEL) - 1))
    if after is not None:
        return after + ceiling * chance
    return ceiling / 2 + ceiling / 2 * chance if failures == 1 else ceiling * chance
