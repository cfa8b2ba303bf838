"""Sinks that record what arrives, and behave as badly as they are told."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec

from logship.api import DELIVERED, Again, Batch, Context, Outcome, Refused, Retry, Sink
from tests.property.agent_model.arrivals import Arrivals
from tests.property.agent_model.world import ModelDisk

Mood = Literal["works", "answers late", "is slow", "fails", "asks again", "refuses"]
MOODS: tuple[Mood, ...] = (
    "works", "answers late", "is slow", "fails", "asks again", "refuses",
)  # fmt: skip
SLOW_SECS = 3.0


class Destination:
    """What lies behind a sink: it outlives the agent."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self.mood: Mood = "works"


class RecordingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Recording(Sink):
    """Records rows; the base of the class that a model registers."""

    config = RecordingOptions
    destinations: dict[str, Destination]

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        self._destination = self.destinations[context.name]

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        mood = self._destination.mood
        if mood == "fails":
            raise Retry("told to fail")
        if mood == "is slow":
            await asyncio.sleep(SLOW_SECS)
        outcome = self._record(batches, mood)
        if mood == "answers late":
            await asyncio.sleep(SLOW_SECS)
        return outcome

    def _record(self, batches: Sequence[Batch], mood: Mood) -> Outcome:
        disk = self.context.world.disk
        assert isinstance(disk, ModelDisk)
        if disk.dead:
            raise asyncio.CancelledError
        again: list[Again] = []
        refused: list[Refused] = []
        for number, batch in enumerate(batches):
            count = len(batch.rows)
            named = [row for row in range(count) if int(batch.ids()[row], 16) % 3 == 0]
            others = [row for row in range(count) if row not in set(named)]
            if mood == "asks again" and named:
                again.append(Again(number, named, "told to ask again"))
                self._destination.arrivals.take(batch, others)
            elif mood == "refuses":
                refused += [Refused(number, row, "told to refuse") for row in named]
                self._destination.arrivals.take(batch, others, named)
            else:
                self._destination.arrivals.take(batch, range(count))
        return Outcome(tuple(refused), tuple(again)) if again or refused else DELIVERED
