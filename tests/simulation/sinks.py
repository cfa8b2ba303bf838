"""The sink that writes to a simulated destination.

A row is durable from the moment a destination has it, whatever it answers then: a request that was
written and answered with an error is the normal case of at-least-once delivery.
"""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from logship.api import DELIVERED, Again, Batch, Context, Outcome, Refused, Retry, Sink
from tests.simulation.scenario import HANG_SECS, Fault
from tests.simulation.watching import Life, SimWorld

LATENCY_SECS = 0.02
SLOW_SECS = 4.0


class SimSinkOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    request_bytes: int = 1 << 20


class SimSink(Sink):
    """Writes to a simulated destination."""

    config = SimSinkOptions

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, SimSinkOptions)
        assert isinstance(context.world, SimWorld)
        self.request_bytes = config.request_bytes
        self._life: Life = context.world.life
        self._destination = self._life.destinations[context.name]

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        there, life = self._destination, self._life
        there.writes += 1
        fault = there.fault(life.now())
        life.note("write", there.name, there.writes, [batch.size() for batch in batches],
                  fault.kind if fault else "")  # fmt: skip
        number = there.writes
        try:
            outcome = await self._answer(batches, fault)
        except BaseException as error:
            life.note("answer", there.name, number, repr(error))
            raise
        life.note("answer", there.name, number, len(outcome.again), len(outcome.refused))
        return outcome

    async def _answer(self, batches: Sequence[Batch], fault: Fault | None) -> Outcome:
        chance = self._destination.chance
        await asyncio.sleep(LATENCY_SECS * chance.random())
        kind, after = (fault.kind, fault.after) if fault else ("", None)
        if kind == "slow":
            await asyncio.sleep(SLOW_SECS * chance.random())
        if kind in ("429", "503"):
            raise Retry(f"told to answer {kind}", after)
        if kind == "quota":
            raise Retry("told to refuse for quota", after, throttled=True)
        if kind == "disconnects":
            raise Retry("told to disconnect")
        if kind == "breaks":
            raise ConnectionResetError("told to break")
        if kind == "hangs":
            await asyncio.sleep(HANG_SECS)
            raise Retry("no answer")
        if kind == "all again":
            again = tuple(Again(n, None, "told so", after) for n in range(len(batches)))
            return Outcome((), again)
        outcome = self._take(batches, 0.4 if kind == "some again" else 0.0, after)
        if kind == "hangs, written":
            await asyncio.sleep(HANG_SECS)
            raise Retry("no answer")
        if kind == "late error":
            await asyncio.sleep(LATENCY_SECS * chance.random())
            raise Retry("told to fail after the write", after)
        return outcome

    def _take(self, batches: Sequence[Batch], share: float, after: float | None) -> Outcome:
        """Rows are durable now, but for those that are refused or named to come again."""
        if not self._life.alive:
            raise asyncio.CancelledError
        chance, poison = self._destination.chance, f"poison-{self._destination.name}"
        again: list[Again] = []
        refused: list[Refused] = []
        for number, batch in enumerate(batches):
            bad = {row for row, text in enumerate(batch.rows.texts) if poison in text}
            refused += [Refused(number, row, "poison") for row in sorted(bad)]
            rows = [row for row in range(len(batch.rows)) if row not in bad]
            later = [row for row in rows if share and chance.random() < share]
            if later:
                again.append(Again(number, later, "told so", after))
            self._arrive(batch, set(rows).difference(later))
        return Outcome(tuple(refused), tuple(again)) if again or refused else DELIVERED

    def _arrive(self, batch: Batch, rows: Collection[int]) -> None:
        found, ids, truth = batch.rows, batch.ids(), self._life.truth
        columns = zip(ids, found.texts, found.times, found.streams, strict=True)
        for row, (id_, text, time, stream) in enumerate(columns):
            if row in rows:
                truth.arrived(batch.route, id_, text, time, stream)
        self._destination.rows += len(rows)
