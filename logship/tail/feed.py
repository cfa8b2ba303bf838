"""One origin on disk as one route reads it.

A feed reads ahead through the generations of its follower and cuts what it reads into batches; its
position is its own, and moves only over what is settled. What is released is read again, the same
spans in the same order, so the rows and their ids are the same. What is gone before it was read is
a `Loss`, told once.
"""

from collections.abc import Callable, Sequence

from logship.batch import Batch
from logship.origin import Origin
from logship.rows.address import Generation, Position, Span
from logship.rows.cut import Cut, Cutter
from logship.tail.backlog import Backlog
from logship.tail.follow import Follower
from logship.tail.generation import LetGo, LogGeneration, NothingReader, Reader
from logship.tail.last_row import LastRow
from logship.tail.ledger import Ledger
from logship.tail.loss import NOTHING_KNOWN, Following, Loss, Reason
from logship.tail.released import Released
from logship.tail.resuming import Resuming, look_ahead
from logship.tail.unzip import DamagedFile
from logship.tail.waiting import JOIN_TIMEOUT_SECS as JOIN_TIMEOUT_SECS
from logship.tail.waiting import Waiting
from logship.world import Stat, World

OnLoss = Callable[[Loss], None]


class DiskFeed:
    def __init__(
        self,
        route: str,
        follower: Follower,
        world: World,
        position: Position | None,
        on_ready: Callable[[], None],
        on_loss: OnLoss,
        following: Following = NOTHING_KNOWN,
    ) -> None:
        """`position` is the first byte to read; None: the first one there is.

        `following` is what was known to come after it when it was saved.
        """
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
        self._released = Released(follower, world, self._gone)
        self._backlog = Backlog(follower, self._ledger, self._released, self._cutter)
        self._waiting = Waiting(self._cutter, world.clock)
        self._resuming = Resuming(follower, world.clock, following)
        self._last_row = LastRow(follower.log.cutting.format, following.settled_ns)
        self._stood = (position, -1)
        self._known = (self._stood, following)

    @property
    def committed(self) -> Position | None:
        return self._ledger.committed

    @property
    def settled(self) -> bool:
        """Whether nothing that was taken is still out."""
        return self._ledger.unsettled_bytes == 0

    def waiting(self) -> int:
        """Bytes on the disk that are in no batch yet."""
        return self._backlog.waiting()

    def unread(self) -> list[Span]:
        """What `waiting` counts, in the order it was written."""
        return self._backlog.unread()

    @property
    def in_flight_bytes(self) -> int:
        """In batches that are not settled."""
        return self._backlog.in_flight_bytes

    @property
    def follower(self) -> Follower:
        return self._follower

    def unsettled(self) -> dict[Generation, int]:
        """Bytes of each generation that are not settled."""
        return self._backlog.unsettled()

    def moved(self) -> bool:
        """Whether it stands elsewhere, or more is known to follow, than when last asked."""
        stood, self._stood = self._stood, (self.committed, self._follower.version)
        return stood != self._stood

    def following(self) -> Following:
        """What is known to come after the committed position."""
        at, follower = self.committed, self._follower
        key = (at, follower.version)
        if self._known[0] != key and at is not None and follower.find(at.generation):
            known = look_ahead(follower, at.generation, self.unsettled, self._last_row.ns)
            self._known = key, known
        return self._known[1]

    def due(self) -> bool:
        """Whether `take` may give something though nothing was written."""
        log = self._log
        if self._released or (log is None and self._follower.generations):
            return True
        if log is None:
            return self._follower.retired and not self.exhausted
        if self._next is not None and self._next.offset < log.size:
            return True
        return bool(self._waiting.late()) or (self._follower.ended(log) and not self.exhausted)

    async def take(self, max_bytes: int) -> Batch | None:
        if self._released:
            again = await self._released.next()
            return self._batch(*again, self._world.clock.wall_ns(), None) if again else None
        while (log := self._current()) is not None:
            cut, moved = await self._advance(log, max_bytes)
            if cut is not None:
                self._ledger.keep_whole(cut.straddles)
                return self._batch(cut.block, cut.pieces, log.mtime_ns, cut)
            if not moved:
                return None
        if self._follower.retired and not self._resuming.searching:
            self.exhausted = True
        return None

    def _current(self) -> LogGeneration | None:
        """The generation to read now, opened or found by the position."""
        if self._log is not None or self.exhausted:
            return None if self.exhausted else self._log
        if self._next is None:
            log, offset = self._follower.generations.first(), 0
        else:
            found = self._resuming.find(self._next)
            log, offset = found.log, found.offset
            if found.lost and not found.lost.nothing:
                self._on_loss(found.lost)
        if log is not None:
            self._start(log, offset)
        return log

    def _start(self, log: LogGeneration, offset: int) -> None:
        self._log, self._reader = log, log.reader(self._world)
        self._next = Position(log.generation, offset)
        self._ledger.taken(Span(log.generation, offset, offset))
        self._follower.settle_up()

    async def _advance(self, log: LogGeneration, max_bytes: int) -> tuple[Cut | None, bool]:
        """(a finished block if any, whether it makes sense to go on)."""
        assert self._next is not None
        offset = self._next.offset
        want = max_bytes if log.compressed else min(max_bytes, log.size - offset)
        try:
            chunk = await self._reader.read(want, offset) if want > 0 else b""
        except DamagedFile:
            self._lose(Reason.DAMAGED, 1, log)  # how much, it cannot tell
            log.size, self._reader = offset, NothingReader()
            return self._end(log, offset)
        if chunk:
            return self._read(log, offset, chunk), True
        if self._follower.ended(log):
            return self._end(log, offset)
        return self._flush(self._late(log)), False

    def _read(self, log: LogGeneration, offset: int, chunk: bytes) -> Cut | None:
        end = offset + len(chunk)
        self._ledger.taken(Span(log.generation, offset, end))
        self._next = Position(log.generation, end)
        cut = self._cutter.push(log.generation, offset, chunk)
        self._waiting.note()
        return cut

    def _end(self, log: LogGeneration, offset: int) -> tuple[Cut | None, bool]:
        """The generation has ended: go to the next one, or close everything if there is none."""
        cut = self._cutter.push(log.generation, offset, b"", end=True)
        if cut is not None:
            return cut, True
        if log.truncated_from > offset:
            self._lose(Reason.TRUNCATED, log.truncated_from - offset, log)
        later = self._follower.generations.after(log.generation)
        if later is not None:
            self._start(later, 0)
            return None, True
        self.exhausted = self._follower.retired
        streams = list(self._cutter.opened) if self.exhausted else self._late(log)
        return self._flush(streams), False

    def _late(self, log: LogGeneration) -> list[str]:
        """Streams whose open record has waited in vain: what it waits for is not on the disk now.

        What was seen before says nothing: a route that is held back has not looked meanwhile.
        """
        if not (streams := self._waiting.late()):
            return []
        self._follower.look_again()
        assert self._next is not None
        there = self._follower.generations.after(log.generation) or log.size > self._next.offset
        return [] if there else streams

    def _flush(self, streams: Sequence[str]) -> Cut | None:
        cut = self._cutter.flush(streams) if streams else None
        self._waiting.note()
        return cut

    def lose(self, log: LogGeneration, why: LetGo) -> None:
        """The file is closed: what was not taken of it, or was given back, is lost."""
        spans = self._released.drop(log.generation)
        self._ledger.settle(spans)
        unread = sum(size for unread, size in self._backlog.not_taken() if unread is log)
        size = unread + sum(span.size for span in spans)
        if size:
            self._lose(why.reason, size, log, exact=why.final)

    def missed(self, stat: Stat) -> None:
        """A file of the origin was deleted before it could be opened: this is how it looked."""
        since = self._last_row.ns
        if stat.mtime_ns > since:
            self._on_loss(Loss(Reason.NEVER_OPENED, stat.size, False, since))

    def _gone(self, spans: Sequence[Span]) -> None:
        """Spans that were released cannot be read again."""
        self._ledger.settle(spans)
        log = self._follower.find(spans[-1].generation)
        self._lose(Reason.RELEASED_GONE, sum(span.size for span in spans), log, exact=True)
        self._follower.settle_up()

    def _lose(
        self, reason: Reason, size: int, log: LogGeneration | None, *, exact: bool = False
    ) -> None:
        later = self._follower.generations.since(log.generation)[1:] if log else []
        found_ns = next((then.generation.time_ns for then in later if not then.let_go), 0)
        self._on_loss(Loss(reason, size, exact, self._last_row.ns, found_ns))

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
        self._last_row.settled(batch, self.committed, all_of_it=self.settled)
        self._follower.settle_up()

    def release(self, batch: Batch) -> None:
        self._released.add(batch.pieces)
        self.on_ready()
