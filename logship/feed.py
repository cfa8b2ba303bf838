"""One origin on disk as one route reads it.

A feed reads ahead through the generations of its follower and cuts what it reads into batches; its
position is its own, and moves only over what is settled. What is released is read again, the same
spans in the same order, so the rows and their ids are the same.
"""

from collections import deque
from collections.abc import Callable

from logship.batch import Batch
from logship.follow import Follower
from logship.generation import LogGeneration, NothingReader, Reader
from logship.ledger import Ledger
from logship.origin import Origin
from logship.rows.address import Position, Span
from logship.rows.cut import Cut, Cutter
from logship.unzip import DamagedFile
from logship.world import World

JOIN_TIMEOUT_SECS = 5.0
"""How long a record may stay open without another part: conmon cuts at every slow write."""
MISSED_SECS = 2.0
"""How long a saved generation is searched before it counts as gone."""

OnLoss = Callable[[int, str], None]
"""(bytes lost at least, why): they were gone before they were read."""


class DiskFeed:
    def __init__(
        self,
        route: str,
        follower: Follower,
        world: World,
        position: Position | None,
        on_ready: Callable[[], None],
        on_loss: OnLoss,
    ) -> None:
        """`position` is the first byte to read; None: the first one there is."""
        self.origin: Origin = follower.origin
        self.on_ready = on_ready
        self.exhausted = False
        """True when the origin has retired and everything of it has been taken."""
        self._route = route
        self._follower = follower
        self._world = world
        self._on_loss = on_loss
        self._ledger = Ledger(position)
        self._cutter = Cutter(follower.log.cutting)
        self._next = position
        self._log: LogGeneration | None = None
        self._reader: Reader
        """Of `_log`."""
        self._again: deque[tuple[Span, ...]] = deque()
        self._opened_at = 0.0
        self._missed_at: float | None = None
        """Since when the generation that it should read cannot be found."""

    @property
    def committed(self) -> Position | None:
        return self._ledger.committed

    @property
    def settled(self) -> bool:
        """Whether nothing that was taken is still out."""
        return self._ledger.unsettled_bytes == 0

    def waiting(self) -> int:
        """Bytes on the disk that are in no batch yet."""
        again = sum(span.size for pieces in self._again for span in pieces)
        if self._log is None and self._next is None:
            return again + sum(log.size for log in self._follower.generations)
        at = self._next
        assert at is not None
        ahead = [log for log in self._follower.generations if log.generation >= at.generation]
        read = at.offset if ahead and ahead[0].generation == at.generation else 0
        unread = max(0, sum(log.size for log in ahead) - read)
        return again + unread + self._cutter.open_bytes

    def due(self) -> bool:
        """Whether `take` may give something though nothing was written."""
        log = self._log
        if self._again or (log is None and self._follower.generations):
            return True
        if log is None:
            return self._follower.retired and not self.exhausted
        if self._next is not None and self._next.offset < log.size:
            return True
        return self._timed_out() or (self._follower.ended(log) and not self.exhausted)

    async def take(self, max_bytes: int) -> Batch | None:
        if self._again:
            batch = await self._read_again(self._again[0])
            self._again.popleft()  # not before: reading may fail
            return batch
        while (log := self._current()) is not None:
            cut, moved = await self._advance(log, max_bytes)
            if cut is not None:
                return self._batch(cut.block, cut.pieces, log.mtime_ns, cut)
            if not moved:
                return None
        self.exhausted = self.exhausted or self._follower.retired
        return None

    def _current(self) -> LogGeneration | None:
        """The generation to read now, opened or found by the position."""
        if self._log is not None or self.exhausted:
            return None if self.exhausted else self._log
        if self._next is None:
            log, offset = self._follower.first(), 0
        else:
            log, offset = self._saved(self._next)
        if log is not None:
            self._missed_at = None
            self._start(log, offset)
        return log

    def _saved(self, position: Position) -> tuple[LogGeneration | None, int]:
        """Where to go on. If the generation is gone: what follows it, and the rest is lost.

        Not at once: a file that is renamed or compressed while one looks may be overlooked.
        """
        if self._follower.find(position.generation) is None:
            self._follower.refresh()
        log, now = self._follower.find(position.generation), self._world.clock.now()
        if self._missed_at is None:
            self._missed_at = now
        if log is not None or now - self._missed_at < MISSED_SECS:
            return log, position.offset
        later = self._follower.after(position.generation)
        if later is not None:
            self._on_loss(0, "the generation it stood in is gone")
        return later, 0

    def _start(self, log: LogGeneration, offset: int) -> None:
        self._log, self._reader = log, log.reader(self._world)
        self._next = Position(log.generation, offset)
        self._ledger.taken(Span(log.generation, offset, offset))

    async def _advance(self, log: LogGeneration, max_bytes: int) -> tuple[Cut | None, bool]:
        """(a finished block if any, whether it makes sense to go on)."""
        assert self._next is not None
        offset = self._next.offset
        want = max_bytes if log.compressed else min(max_bytes, log.size - offset)
        try:
            chunk = await self._reader.read(want, offset) if want > 0 else b""
        except DamagedFile:
            self._on_loss(0, "a compressed file is damaged")  # how much, it cannot tell
            log.size, self._reader = offset, NothingReader()
            return self._end(log, offset)
        if chunk:
            return self._read(log, offset, chunk), True
        if self._follower.ended(log):
            if log.truncated_from > offset:
                self._on_loss(log.truncated_from - offset, "the file was truncated")
            return self._end(log, offset)
        return (self._cutter.flush() if self._timed_out() else None), False

    def _read(self, log: LogGeneration, offset: int, chunk: bytes) -> Cut | None:
        end = offset + len(chunk)
        self._ledger.taken(Span(log.generation, offset, end))
        self._next = Position(log.generation, end)
        before = self._cutter.record_bytes
        cut = self._cutter.push(log.generation, offset, chunk)
        if self._cutter.record_bytes != before:
            self._opened_at = self._world.clock.now()
        return cut

    def _end(self, log: LogGeneration, offset: int) -> tuple[Cut | None, bool]:
        """The generation has ended: go to the next one, or close everything if there is none."""
        cut = self._cutter.push(log.generation, offset, b"", end=True)
        if cut is not None:
            return cut, True
        later = self._follower.after(log.generation)
        if later is not None:
            self._start(later, 0)
            self._follower.settle_up()
            return None, True
        self.exhausted = self._follower.retired
        done = self.exhausted or self._timed_out()
        return self._cutter.flush() if done else None, False

    def _timed_out(self) -> bool:
        if not self._cutter.has_open_record:
            return False
        return self._world.clock.now() - self._opened_at >= JOIN_TIMEOUT_SECS

    async def _read_again(self, pieces: tuple[Span, ...]) -> Batch | None:
        parts = [await self._read_span(span) for span in pieces]
        for span, part in zip(pieces, parts, strict=True):
            if len(part) < span.size:
                self._on_loss(span.size - len(part), "what was released is gone")
        if all(len(part) == span.size for span, part in zip(pieces, parts, strict=True)):
            return self._batch(b"".join(parts), pieces, self._world.clock.wall_ns(), None)
        self._ledger.settle(pieces)
        return None

    async def _read_span(self, span: Span) -> bytes:
        log = self._follower.find(span.generation)
        if log is None or (not log.compressed and span.end > log.size):
            return b""
        reader, found = log.reader(self._world), b""
        while len(found) < span.size:
            try:
                chunk = await reader.read(span.size - len(found), span.start + len(found))
            except DamagedFile:
                break
            if not chunk:
                break
            found += chunk
        return found

    def _batch(
        self, block: bytes, pieces: tuple[Span, ...], mtime_ns: int, cut: Cut | None
    ) -> Batch:
        rows = cut.rows if cut else None
        return Batch(
            self.origin, self.origin.labels, pieces, block, self._follower.log.cutting, mtime_ns,
            route=self._route, feed_key=self, _rows=rows,
        )  # fmt: skip

    def settle(self, batch: Batch) -> None:
        self._ledger.settle(batch.pieces)
        self._follower.settle_up()

    def release(self, batch: Batch) -> None:
        self._again.append(batch.pieces)
        self.on_ready()
