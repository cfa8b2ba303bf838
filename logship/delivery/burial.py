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
        while not await self._write(parcel, batch, refused):
            parcel.reader.blocked = True
            await self._clock.sleep(FULL_RETRY_SECS)
        self._counters.bury(len(refused))
        parcel.end_part()
        if parcel.reader.blocked:
            parcel.reader.blocked = False
            parcel.reader.wake()

    async def _write(self, parcel: Parcel, batch: Batch, refused: Sequence[Refused]) -> bool:
        try:
            await self._dead_letters.write(self._sink, batch, refused)
        except (Full, OSError) as error:
            if not parcel.reader.blocked:
                self._log.error("%s waits: %s", batch.origin.key, error)
            self._counters.fail(str(error), self._clock.wall_ns())
            return False
        return True
