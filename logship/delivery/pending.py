"""Batches that wait for company: when they should go as one write.

They go when they fill a write, when the oldest is `max_delay_secs` old, or when somebody is in a
hurry. Under load no write is free when they are old enough, and they go on gathering: writes grow.
"""

from logship.delivery.parcel import Parcel


class Pending:
    def __init__(self, request_bytes: int, max_delay_secs: float) -> None:
        self._request_bytes, self._max_delay_secs = request_bytes, max_delay_secs
        self._parcels: list[Parcel] = []
        self._oldest_at = 0.0
        self.bytes = 0
        self.hurried = False
        """Do not wait for more company."""

    def __bool__(self) -> bool:
        return bool(self._parcels)

    @property
    def full(self) -> bool:
        return self.bytes >= self._request_bytes

    def add(self, parcel: Parcel, now: float) -> None:
        if not self._parcels:
            self._oldest_at = now
        self._parcels.append(parcel)
        self.bytes += parcel.batch.size()

    def take(self) -> list[Parcel]:
        parcels, self._parcels = self._parcels, []
        self.bytes, self.hurried = 0, False
        return parcels

    def due_secs(self, now: float) -> float | None:
        """Seconds until they should go; None: there are none."""
        if not self._parcels:
            return None
        if self.hurried or self.full:
            return 0.0
        return max(0.0, self._oldest_at + self._max_delay_secs - now)
