"""Writes what a sink refused to the dead letters, however long that takes."""

import logging
from collections.abc import Sequence

from logship.batch import Batch
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters, Full
from logship.delivery.parcel import Parcel
from logship.outcome import Refused
from logship.world import Clock

FULL_RETRY_SECS = 5.0


class Burial:
    def __init__(
        self,
        sink: str,
        dead_letters: DeadLetters,
        counters: RouteCounters,
        clock: Clock,
        logger: logging.Logger,
    ) -> None:
        """`sink` is the name that stands in the dead letters."""
        self._sink, self._dead_letters = sink, dead_letters
        self._counters, self._clock, self._log = counters, clock, logger

    async def bury(self, parcel: Parcel, batch: Batch, refused: Sequence[Refused]) -> None:
        """Ends a part of the parcel; until that works, its binding reads nothing new."""
        rows, letters = len(refused), self._dead_letters.encoded(self._sink, batch, refused)
        del batch, refused  # while it waits, nothing but the letters is held
        waits = 0
        while not await self._write(parcel, letters):
            if not waits:
                waits = len(letters)
                parcel.begin_wait(waits)
            parcel.reader.blocked = True
            await self._clock.sleep(FULL_RETRY_SECS)
        if waits:
            parcel.end_wait(waits)
        self._counters.bury(rows)
        parcel.end_part()
        if parcel.reader.blocked:
            parcel.reader.blocked = False
            parcel.reader.wake()

    async def _write(self, parcel: Parcel, letters: bytes) -> bool:
        try:
            await self._dead_letters.store(letters)
        except (Full, OSError) as error:
            if not parcel.reader.blocked:
                self._log.error("%s waits: %s", parcel.batch.origin.key, error)
            self._counters.fail(str(error), self._clock.wall_ns())
            return False
        return True
