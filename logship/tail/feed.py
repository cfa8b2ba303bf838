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
from logship.rows.cut import Cut
from logship.tail.backlog import Backlog
from logship.tail.follow import Follower
from logship.tail.generation import LetGo, LogGeneration
from logship.tail.last_row import LastRow
from logship.tail.late import Late
from logship.tail.losing import Losing
from logship.tail.losing import OnLoss as OnLoss
from logship.tail.loss import NOTHING_KNOWN, Following, Reason
from logship.tail.reading import Reading
from logship.tail.released import Released
from logship.tail.resuming import Ahead
from logship.tail.waiting import JOIN_TIMEOUT_SECS as JOIN_TIMEOUT_SECS
from logship.world import Stat, World


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
        *,
        rows_wanted: bool = True,
    ) -> None:
        """`position` is the first byte to read; None: the first one there is.

        `following` is what was known to come after it when it was saved. `rows_wanted`: whether
        the rows of its batches will be asked for, not only their blocks.
        """
        self.origin: Origin = follower.origin
        self.on_ready = on_ready
        self._route, self._follower, self._world = route, follower, world
        self._last_row = LastRow(follower.log.cutting.format, following.settled_ns)
        self._losing = Losing(follower, self._last_row, on_loss)
        self._reading = Reading(
            follower, world, position, following, self._losing, rows_wanted=rows_wanted
        )
        self._ledger = self._reading.ledger
        self._released = Released(follower, world, self._gone)
        self._late = Late(follower, world, self._losing)
        self._backlog = Backlog(
            follower, self._ledger, self._released, self._reading.cutter, self._late
        )
        self._ahead = Ahead(follower, self._last_row, position, following)

    @property
    def exhausted(self) -> bool:
        """Whether the origin has retired and everything of it has been taken."""
        return self._reading.exhausted and not self._late

    def revive(self) -> None:
        """The origin is there again."""
        self._reading.exhausted = False

    @property
    def committed(self) -> Position | None:
        at = self._ledger.committed
        return self._late.committed(at) if self._late.files else at

    @property
    def settled(self) -> bool:
        """Whether nothing that was taken is still out."""
        return self._ledger.unsettled_bytes == 0 and not self._late

    def waiting(self) -> int:
        """Bytes on the disk that are in no batch yet."""
        return self._backlog.waiting()

    def unread(self) -> list[Span]:
        """What `waiting` counts, in the order it was written."""
        return self._backlog.unread()

    def unended(self) -> Span | None:
        """What of `unread` is no row yet, because its line has no end."""
        return self._backlog.unended()

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
        return self._ahead.moved(self.committed)

    def following(self) -> Following:
        """What is known to come after the committed position."""
        at, logs = self.committed, self._follower.generations
        if len(logs) == 1 and logs[0].live and at is not None and at == self._reading.next:
            log = logs[0]  # as nearly always: nothing is out, and nothing follows
            if log.generation == at.generation:
                namespace = self.origin.labels.get("namespace")
                return Following(self._last_row.ns, log.size - at.offset, (), namespace)
        return self._ahead.following(at, self.unsettled)

    def due(self) -> bool:
        """Whether `take` may give something though nothing was written."""
        if self._reading.due() or self._released:
            return True
        return bool(self._late.files) and self._late.due()

    async def take(self, max_bytes: int) -> Batch | None:
        if self._released:
            again = await self._released.next()
            if again is None:
                return None
            batch = self._batch(*again, self._world.clock.wall_ns(), None)
            batch.reread = True
            return batch
        found = await self._take_late(max_bytes) if self._late.files else None
        if found is None:
            found = await self._reading.take(max_bytes)
        if found is None:
            return None
        cut, log = found
        return self._batch(cut.block, cut.pieces, log.mtime_ns, cut)

    async def _take_late(self, max_bytes: int) -> tuple[Cut, LogGeneration] | None:
        found = await self._late.take(max_bytes)
        if found is None:
            self._finish_late()
        return found

    def _finish_late(self) -> None:
        if self._late.finish():
            self._follower.settle_up()

    def lose(self, log: LogGeneration, why: LetGo) -> None:
        """The file is closed: what was not taken of it, or was given back, is lost."""
        spans = self._released.drop(log.generation)
        self._ledger.settle(self._late.settle(spans))
        unread = sum(size for unread, size in self._backlog.not_taken() if unread is log)
        size = unread + sum(span.size for span in spans)
        if size:
            self._losing.lost(why.reason, size, log, exact=why.final)

    def late(self, log: LogGeneration, offset: int) -> None:
        """Something was added to a file, after `offset`; perhaps it was passed before."""
        if self._reading.next is not None and not self.exhausted:
            self._late.add(log, offset, self._reading.next)

    def untold(self, stat: Stat) -> None:
        """A file of the origin is damaged, so that nobody can tell what it is."""
        self._losing.untold(stat)

    def missed(self, stat: Stat) -> None:
        """A file of the origin was deleted before it could be opened: this is how it looked."""
        self._losing.never_opened(stat)

    def _gone(self, spans: Sequence[Span]) -> None:
        """Spans that were released cannot be read again."""
        self._ledger.settle(self._late.settle(spans))
        log = self._follower.find(spans[-1].generation)
        size = sum(span.size for span in spans)
        self._losing.lost(Reason.RELEASED_GONE, size, log, exact=True)
        self._follower.settle_up()

    def _batch(
        self, block: bytes, pieces: tuple[Span, ...], mtime_ns: int, cut: Cut | None
    ) -> Batch:
        rows, count = (cut.rows, cut.count) if cut else (None, None)
        return Batch(
            self.origin, self.origin.labels, pieces, block, self._follower.log.cutting, mtime_ns,
            route=self._route, feed_key=self, _rows=rows,
            _counted=None if count is None else (count, {}),
        )  # fmt: skip

    def close(self) -> None:
        """Nobody takes from it any more: its follower need not wait for it."""
        self._follower.feeds.remove(self)
        self._follower.settle_up()

    def settle(self, batch: Batch) -> None:
        if self._late.files:
            self._ledger.settle(self._late.settle(batch.pieces))
            self._finish_late()
        else:
            self._ledger.settle(batch.pieces)
        self._last_row.settled(batch, self.committed, all_of_it=self.settled)
        self._follower.settle_up()

    def release(self, batch: Batch) -> None:
        self._released.add(batch.pieces)
        self.on_ready()
