"""How fast one origin may be read. Pure.

Reading makes a debt that is paid off at the rate; while it is more than a quarter of a second's
worth, nothing is read until all of it is paid. So over any time no more is read than rate x time
and one read, and an origin that writes less than its rate is hardly ever made to wait.
"""

from dataclasses import dataclass

LEAST_BYTES = 4096
_ALLOWED_SECS = 0.25


@dataclass(slots=True)
class Throttle:
    bytes_per_sec: float
    _paid_at: float = 0.0

    @property
    def most(self) -> int:
        """How much to read at once."""
        return max(LEAST_BYTES, int(self.bytes_per_sec * _ALLOWED_SECS))

    def took(self, size: int, now: float) -> float:
        """So much was read; how many seconds nothing more should be."""
        self._paid_at = max(self._paid_at, now) + size / self.bytes_per_sec
        left = self._paid_at - now
        return left if left > _ALLOWED_SECS else 0.0
