"""Measures how far behind a route is, without costing the rows anything.

Bytes are counted from sizes and positions when somebody asks; nothing is counted along the way but
what a binding has read. For the rates that `rotation` needs, each origin that has something unread
gets two samples (bytes read, bytes unread), of which the older is replaced every `SAMPLE_SECS`: so
rates are averages over the last 15 to 30 seconds, or over the time since the origin fell behind
where that is shorter. What is written to an origin is what was read more and what is unread more.
An origin of which everything is read has no samples and costs nothing.

The time of the oldest unread row is read from its file when somebody asks, and once for each
position. In a plain file: the first time found in the first bytes from there on; where there is
none, the time at which the file was last written (which rows without a time get too, see `Batch`).
In a compressed file, where the place would have to be searched by unpacking: the time of its first
row, so the age is at least the true one. A last line that nobody has ended counts as unread bytes,
but is no row that could be late: a prompt without a newline would have an age for ever.
"""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from logship.routes.binding import Binding
from logship.routes.lag import Lag, RouteLag, by_namespace
from logship.rows.address import Generation, Position, Span, time_ns
from logship.rows.identity import HEAD_BYTES
from logship.rows.lines import FORMATS
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.rotation import KeptFile, Rates, risk_secs
from logship.world import World

SAMPLE_SECS = 15.0
_LEAST_SECS = 1.0
"""Over less, a rate says nothing."""
_AT_ONCE = 50
"""Origins that are measured before others may run: about 3 ms."""


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    read_bytes: int
    unread_bytes: int


@dataclass(slots=True)
class Samples:
    """Of an origin with unread bytes."""

    older: Sample
    newer: Sample
    oldest: tuple[Position, int] | None = None
    """Where the oldest unread row stands, and its time."""

    def add(self, sample: Sample) -> None:
        if sample.at - self.newer.at >= SAMPLE_SECS:
            self.older, self.newer = self.newer, sample

    def rates(self, now: Sample) -> Rates | None:
        secs = now.at - self.older.at
        if secs < _LEAST_SECS:
            return None
        read = now.read_bytes - self.older.read_bytes
        written = read + now.unread_bytes - self.older.unread_bytes
        return Rates(max(0, written) / secs, max(0, read) / secs)


class Meter:
    """Of one route."""

    def __init__(self) -> None:
        self._behind: dict[Binding, Samples] = {}

    def tick(self, now: float, waiting: Iterable[Binding]) -> None:
        """Once a second, with those that wait for their turn: they may have something unread."""
        waiting = set(waiting)
        for binding in self._behind.keys() - waiting:
            if not binding.feed.waiting():
                del self._behind[binding]
        for binding in waiting:
            samples = self._behind.get(binding)
            if samples is None or now - samples.newer.at >= SAMPLE_SECS:
                self._sample(binding, now, binding.feed.waiting() or 0)

    @property
    def followed(self) -> int:
        """How many origins have samples."""
        return len(self._behind)

    def forget(self, binding: Binding) -> None:
        self._behind.pop(binding, None)

    def _sample(self, binding: Binding, now: float, unread: int) -> tuple[Samples, Sample]:
        sample = Sample(now, binding.read_bytes, unread)
        samples = self._behind.setdefault(binding, Samples(sample, sample))
        samples.add(sample)
        return samples, sample

    def risk_secs(self, world: World) -> float | None:
        """The nearest one; None: none is known."""
        found = [self._nearest(binding, world) for binding in list(self._behind)]
        return min((risk for risk in found if risk is not None), default=None)

    def _nearest(self, binding: Binding, world: World) -> float | None:
        feed = binding.feed
        if not isinstance(feed, DiskFeed) or not (unread := feed.unread()):
            return None
        try:
            return self._risk(binding, feed.follower, unread, world)[1]
        except OSError:
            return None  # who reads it says what is wrong

    def _risk(
        self, binding: Binding, follower: Follower, unread: list[Span], world: World
    ) -> tuple[Samples, float | None]:
        size = sum(span.size for span in unread)
        samples, now = self._sample(binding, world.clock.now(), size)
        files, live = kept_files(follower, unread, world)
        return samples, risk_secs(files, live, follower.log.rotation, samples.rates(now))

    async def lag(self, bindings: Collection[Binding], world: World) -> RouteLag:
        """Of all these, as they are now and then: others run meanwhile, and may take some away.

        A feed of a broker tells at most how much is unread.
        """
        found = []
        for number, binding in enumerate(list(bindings)):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if binding in bindings:
                found.append((binding.namespace, await self._of(binding, world)))
        return by_namespace(found)

    async def _of(self, binding: Binding, world: World) -> Lag:
        feed = binding.feed
        if not isinstance(feed, DiskFeed):
            waiting = feed.waiting() or 0
            return Lag(int(waiting > 0), waiting)
        unread = feed.unread()
        if not unread:
            return Lag(in_flight_bytes=feed.in_flight_bytes)
        follower, size = feed.follower, sum(span.size for span in unread)
        samples, risk = self._risk(binding, follower, unread, world)
        in_flight = feed.in_flight_bytes  # all numbers are of one moment: reading may wait
        unended = feed.unended()
        first = next((span for span in unread if span != unended), None)
        oldest = await _oldest_ns(samples, follower, first, world) if first else None
        return Lag(1, size, in_flight, oldest, risk)


async def _oldest_ns(samples: Samples, follower: Follower, first: Span, world: World) -> int | None:
    position = Position(first.generation, first.start)
    if samples.oldest is None or samples.oldest[0] != position:
        log = follower.find(first.generation)
        ns = await row_time_ns(log, position.offset, follower, world) if log else None
        samples.oldest = None if ns is None else (position, ns)
    return samples.oldest[1] if samples.oldest else None


def kept_files(
    follower: Follower, unread: Iterable[Span], world: World
) -> tuple[list[KeptFile], bool]:
    """What `risk_secs` wants: the files from the first unread one on, whether the last is live."""
    sizes: dict[Generation, int] = {}
    for span in unread:
        sizes[span.generation] = sizes.get(span.generation, 0) + span.size
    logs = [log for log in follower.generations if log.size]
    first = next((n for n, log in enumerate(logs) if log.generation in sizes), len(logs))
    files = [
        KeptFile(size, log.size, deleted=size > 0 and _deleted(log, follower, world))
        for log in logs[first:]
        for size in (sizes.get(log.generation, 0),)
    ]
    return files, bool(files) and logs[-1].live


def _deleted(log: LogGeneration, follower: Follower, world: World) -> bool:
    disk = world.disk
    if log.let_go or disk.fstat(log.fd).links:
        return False
    if log.copy is None:
        follower.refresh()  # it may just have been compressed
    if log.let_go or disk.fstat(log.fd).links:
        return False
    return log.copy is None or disk.stat(f"{follower.log.directory}/{log.copy[0]}") is None


async def row_time_ns(
    log: LogGeneration, offset: int, follower: Follower, world: World
) -> int | None:
    """The time of the row that stands there, see above; None: the file cannot be read."""
    if log.compressed or log.let_go:
        return log.generation.time_ns
    format = follower.log.cutting.format
    try:
        with log.being_read():
            head = await log.reader(world).read(HEAD_BYTES[format], offset)
    except OSError:
        return None
    first = head[: head.find(b"\n") + 1]
    for part in (first, head):  # nearly always the first line has one: do not take all apart
        if time := next((time for time in FORMATS[format](part, 0).times if time), ""):
            break
    try:
        return time_ns(time) if time else log.mtime_ns
    except (ValueError, OverflowError):
        return log.mtime_ns
