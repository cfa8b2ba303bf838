"""`logship check --roundtrip`: numbered rows through real sinks, and back.

Rows are written in several writes, and read back until all are there or `WAIT_SECS` have passed
since the last write. A row's delay is the time from its write to the first reading that showed it:
it is at most so long. Where a sink's rows cannot be read (a topic), the sinks of a loader that runs
are read in its place. What was written stays there, as rows of the namespace `logship-check`.
Readings are few, because Google allows 60 a minute.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from logship.api import ConfigError, Outcome, Retry, Sink
from logship.batch import Batch
from logship.config import Config
from logship.delivery.backoff import delay_secs
from logship.finding import Finding
from logship.origin import Labels, Origin
from logship.rows.address import Generation, Span, line_digest, time_text
from logship.rows.index import Cutting
from logship.world import World

ROWS, WRITE_ROWS = 1000, 100
TRIES = 5
WAIT_SECS = 60.0
SINK_SECS = 300.0
"""For all that is done with a sink."""
NAMESPACE = "logship-check"
_FIRST_PAUSE_SECS, _MAX_PAUSE_SECS, _GROWTH = 0.25, 5.0, 1.5
_ABOUT = "round trip"


@dataclass(slots=True)
class Trip:
    """The rows of a sink, and what is known of them."""

    batches: list[Batch] = field(default_factory=list)
    written: dict[str, int] = field(default_factory=dict)
    """By id, when (ns)."""
    seen: dict[str, int] = field(default_factory=dict)
    """By id, when it was first read back (ns)."""
    copies: Mapping[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return len(self.seen) == len(self.written)

    def note(self, found: Mapping[str, int], now_ns: int) -> None:
        self.copies = {row_id: count for row_id, count in found.items() if row_id in self.written}
        for row_id in self.copies:
            self.seen.setdefault(row_id, now_ns)


async def roundtrip(
    config: Config, sinks: Mapping[str, Sink], readers: Mapping[str, Sink], world: World
) -> AsyncIterator[tuple[str, Finding]]:
    """(sink, what came of it). `readers`: not started yet."""
    for name, sink in sinks.items():
        try:
            async with asyncio.timeout(SINK_SECS):
                found = await _through(sink, readers, config, world)
            yield name, found
        except TimeoutError:
            yield name, Finding(_ABOUT, "failed", f"it was not over after {SINK_SECS:g} s")
        except (ConfigError, Retry) as error:
            yield name, Finding(_ABOUT, "failed", error.reason)
        except Exception as error:
            yield name, Finding(_ABOUT, "failed", f"{type(error).__name__}: {error}")


async def _through(
    sink: Sink, readers: Mapping[str, Sink], config: Config, world: World
) -> Finding:
    await sink.start()
    try:
        trip, log = Trip(), Log(config, world.clock.wall_ns())
        for number in range(0, ROWS, WRITE_ROWS):
            batch = log.next(number, world.clock.wall_ns())
            trip.batches.append(batch)
            await _write(sink, batch, world)
            trip.written |= dict.fromkeys(batch.ids(), world.clock.wall_ns())
        if await sink.read_back(trip.batches) is not None:
            await _read([sink], trip, world)
            return finding(trip)
    finally:
        await sink.close()
    return await _through_others(trip, list(readers.values()), world)


async def _through_others(trip: Trip, readers: Sequence[Sink], world: World) -> Finding:
    if not readers:
        reason = f"{len(trip.written):,} rows written; what is published cannot be read back"
        advice = "name the configuration of the loader that runs: --loader FILE"
        return Finding(_ABOUT, "ok", reason, advice)
    started = []
    try:
        for reader in readers:
            await reader.start()
            started.append(reader)
        await _read(readers, trip, world)
    finally:
        for reader in started:
            await reader.close()
    return finding(trip)


class Log:
    """A log of its own: ids of its rows lie side by side, so that they can be asked for at once."""

    def __init__(self, config: Config, now_ns: int) -> None:
        self._uid, self._offset = secrets.token_hex(8), 0
        values = {
            "source": NAMESPACE, "cluster": config.cluster, "namespace": NAMESPACE,
            "pod": "roundtrip", "uid": self._uid, "container": "check", "restart": "0",
            "node": config.node,
        }  # fmt: skip
        labels = Labels({key: value for key, value in values.items() if value})
        self._origin = Origin(f"{config.cluster}/{self._uid}/check/0", labels)
        self._generation = Generation(now_ns, line_digest(self._uid.encode()))

    def next(self, number: int, now_ns: int) -> Batch:
        """The rows from `number` on, written now."""
        lines = [
            f"{time_text(now_ns + n)} stdout F logship check {self._uid}: row {number + n + 1}\n"
            for n in range(WRITE_ROWS)
        ]
        block = "".join(lines).encode()
        span = Span(self._generation, self._offset, self._offset + len(block))
        self._offset = span.end
        labels = self._origin.labels
        return Batch(self._origin, labels, (span,), block, Cutting(), now_ns, route=NAMESPACE)


async def _write(sink: Sink, batch: Batch, world: World) -> None:
    """Until all is durable. Raises Retry."""
    for tries in range(1, TRIES + 1):
        try:
            problem = _problem(await sink.write([batch]))
        except Retry as retry:
            problem = retry
        if problem is None:
            return
        if tries == TRIES:
            raise problem
        await world.clock.sleep(delay_secs(tries, problem.after, 0.5))


def _problem(outcome: Outcome) -> Retry | None:
    if outcome.refused:
        return Retry(f"rows are refused: {outcome.refused[0].reason}")
    first = next(iter(outcome.again), None)
    return None if first is None else Retry(first.reason, first.after)


async def _read(readers: Sequence[Sink], trip: Trip, world: World) -> None:
    """Until all rows are there, or the time is over. Raises Retry."""
    clock, pause = world.clock, _FIRST_PAUSE_SECS
    until = clock.now() + WAIT_SECS
    while True:
        found: dict[str, int] = {}
        for reader in readers:
            for row_id, count in (await reader.read_back(trip.batches) or {}).items():
                found[row_id] = found.get(row_id, 0) + count
        trip.note(found, clock.wall_ns())
        if trip.complete or clock.now() >= until:
            return
        await clock.sleep(pause)
        pause = min(pause * _GROWTH, _MAX_PAUSE_SECS)


def finding(trip: Trip) -> Finding:
    """What is to be said of it. Pure."""
    lost = len(trip.written) - len(trip.seen)
    doubled = sum(count - 1 for count in trip.copies.values() if count > 1)
    delays = sorted((seen - trip.written[row_id]) / 1e9 for row_id, seen in trip.seen.items())
    p99 = f", p99 of the delay {delays[len(delays) * 99 // 100]:.1f} s" if delays else ""
    reason = f"{len(trip.written):,} rows written: {lost} lost, {doubled} doubled{p99}"
    if lost:
        advice = f"not there {WAIT_SECS:g} s after they were written: does what comes behind run?"
        return Finding(_ABOUT, "failed", reason, advice)
    return Finding(_ABOUT, "ok", reason)
