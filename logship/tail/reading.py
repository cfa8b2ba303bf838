"""Reads ahead through the generations of an origin, in the order they were written, and cuts rows.

It goes from a generation to the next when nothing can be added to the first. What it has read it
keeps in a ledger until it is settled.
"""

from collections.abc import Sequence

from logship.rows.address import Position, Span
from logship.rows.cut import Cut, Cutter
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration, NothingReader, Reader
from logship.tail.ledger import Ledger
from logship.tail.losing import Losing
from logship.tail.loss import Following, Reason
from logship.tail.resuming import Resuming
from logship.tail.unzip import DamagedFile
from logship.tail.waiting import Waiting
from logship.world import World


class Reading:
    def __init__(
        self,
        follower: Follower,
        world: World,
        position: Position | None,
        following: Following,
        losing: Losing,
        *,
        rows_wanted: bool,
    ) -> None:
        """`position` is the first byte to read; None: the first one there is."""
        self._follower, self._world, self._losing = follower, world, losing
        self.ledger = Ledger(position)
        self.cutter = Cutter(follower.log.cutting, rows_wanted)
        self.next = position
        self.exhausted = False
        """Whether the origin has retired and everything of it has been taken."""
        self._log: LogGeneration | None = None
        self._reader: Reader
        """Of `_log`."""
        self._waiting = Waiting(self.cutter, world.clock)
        self._resuming = Resuming(follower, world.clock, following)

    def due(self) -> bool:
        """Whether `take` may give something though nothing was written."""
        log = self._log
        if log is None:
            to_end = self._follower.retired and not self.exhausted
            return bool(self._follower.generations) or to_end
        if self.next is not None and self.next.offset < log.size:
            return True
        return bool(self._waiting.late()) or (self._follower.ended(log) and not self.exhausted)

    async def take(self, max_bytes: int) -> tuple[Cut, LogGeneration] | None:
        """The next finished block, and what it comes from. Raises OSError."""
        while (log := self._current()) is not None:
            cut, moved = await self._advance(log, max_bytes)
            if cut is not None:
                self.ledger.keep_whole(cut.straddles)
                return cut, log
            if not moved:
                return None
        if self._follower.retired and not self._resuming.searching:
            self.exhausted = True
        return None

    def _current(self) -> LogGeneration | None:
        """The generation to read now, opened or found by the position."""
        if self._log is not None or self.exhausted:
            return None if self.exhausted else self._log
        if self.next is None:
            log, offset = self._follower.generations.first(), 0
        else:
            found = self._resuming.find(self.next)
            log, offset = found.log, found.offset
            if found.lost and not found.lost.nothing:
                self._losing.tell(found.lost)
        if log is not None:
            self._start(log, offset)
        return log

    def _start(self, log: LogGeneration, offset: int) -> None:
        self._log, self._reader = log, log.reader(self._world)
        self.next = Position(log.generation, offset)
        self.ledger.taken(Span(log.generation, offset, offset))
        self._follower.settle_up()

    async def _advance(self, log: LogGeneration, max_bytes: int) -> tuple[Cut | None, bool]:
        """(a finished block if any, whether it makes sense to go on)."""
        assert self.next is not None
        offset = self.next.offset
        want = max_bytes if log.compressed else min(max_bytes, log.size - offset)
        try:
            chunk = await self._reader.read(want, offset) if want > 0 else b""
        except DamagedFile:
            self._losing.lost(Reason.DAMAGED, 1, log)  # how much, it cannot tell
            log.size, self._reader = offset, NothingReader()
            return self._end(log, offset)
        if chunk:
            return self._read(log, offset, chunk), True
        if self._follower.ended(log):
            return self._end(log, offset)
        return self._flush(self._overdue(log)), False

    def _read(self, log: LogGeneration, offset: int, chunk: bytes) -> Cut | None:
        end = offset + len(chunk)
        self.ledger.taken(Span(log.generation, offset, end))
        self.next = Position(log.generation, end)
        cut = self.cutter.push(log.generation, offset, chunk)
        self._waiting.note()
        return cut

    def _end(self, log: LogGeneration, offset: int) -> tuple[Cut | None, bool]:
        """The generation has ended: go to the next one, or close everything if there is none."""
        cut = self.cutter.push(log.generation, offset, b"", end=True)
        if cut is not None:
            return cut, True
        if log.truncated_from > offset:
            self._losing.lost(Reason.TRUNCATED, log.truncated_from - offset, log)
        later = self._follower.generations.after(log.generation)
        if later is not None:
            self._start(later, 0)
            return None, True
        self.exhausted = self._follower.retired
        streams = list(self.cutter.opened) if self.exhausted else self._overdue(log)
        return self._flush(streams), False

    def _overdue(self, log: LogGeneration) -> list[str]:
        """Streams whose open record has waited in vain: what it waits for is not on the disk now.

        What was seen before says nothing: a route that is held back has not looked meanwhile.
        """
        if not (streams := self._waiting.late()):
            return []
        self._follower.look_again()
        assert self.next is not None
        there = self._follower.generations.after(log.generation) or log.size > self.next.offset
        return [] if there else streams

    def _flush(self, streams: Sequence[str]) -> Cut | None:
        cut = self.cutter.flush(streams) if streams else None
        self._waiting.note()
        return cut
