"""Lines that were written to a file after a feed had passed it.

A writer that does not reopen its log writes on to the renamed file. What it adds has its place
before all that the feed reads now, so each such file has a ledger and a cutter of its own from
there on: nothing waits for it, its rows have the ids they would have had in time, and the position
of the feed stays at the first of them until they are settled. An agent that crashes meanwhile reads
on from there: what follows may be sent twice, with the same ids. It is over when the file has ended
again and all of it is settled; a later line begins it anew.
"""

from collections.abc import Iterator, Sequence

from logship.rows.address import Position, Span
from logship.rows.cut import Cut, Cutter
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.ledger import Ledger
from logship.tail.losing import Losing
from logship.tail.loss import Reason
from logship.tail.unzip import DamagedFile
from logship.tail.waiting import Waiting
from logship.world import World


class LateFile:
    def __init__(self, follower: Follower, world: World, log: LogGeneration, offset: int) -> None:
        """`offset`: what comes before it was read in time."""
        self.log, self._follower, self.since = log, follower, offset
        self.ledger = Ledger(None)
        self.ledger.taken(Span(log.generation, offset, offset))
        self.cutter = Cutter(follower.log.cutting)
        self._waiting = Waiting(self.cutter, world.clock)
        self._reader = log.reader(world)
        self.offset = offset
        """Where reading goes on."""

    @property
    def not_taken(self) -> int:
        return max(0, self.log.size - self.offset)

    @property
    def over(self) -> bool:
        """Whether everything of it is settled. There may be more as long as it has not ended."""
        busy = self.cutter.open_bytes or self.ledger.unsettled_bytes or self.cut_off
        there = self.not_taken and not self.log.let_go
        return not (busy or there) and self._follower.ended(self.log)

    @property
    def cut_off(self) -> int:
        """Bytes that were truncated before they were read."""
        return max(0, self.log.truncated_from - self.offset)

    def due(self) -> bool:
        if self.not_taken and not self.log.let_go:
            return True
        if self._waiting.late():
            return True
        to_end = self.cutter.open_bytes or not self.ledger.unsettled_bytes
        return bool(to_end) and self._follower.ended(self.log)

    async def take(self, max_bytes: int) -> Cut | None:
        """The next finished block. Raises OSError."""
        while self.not_taken:
            want = min(max_bytes, self.not_taken)
            chunk = await self._reader.read(want, self.offset)
            if not chunk:
                break
            cut = self._read(chunk)
            if cut is not None:
                return cut
        if self._follower.ended(self.log):
            return self._read(b"", end=True) or self.cutter.flush()
        streams = self._waiting.late()
        return self.cutter.flush(streams) if streams else None

    def settle(self, pieces: Sequence[Span]) -> list[Span]:
        """Settles what is late; gives what is not. Of a piece it may be the end."""
        others = []
        for piece in pieces:
            start = max(piece.start, self.since)
            if piece.generation != self.log.generation or piece.end <= start:
                others.append(piece)
                continue
            self.ledger.settle([piece._replace(start=start)])
            if piece.start < start:
                others.append(piece._replace(end=start))
        return others

    def _read(self, chunk: bytes, *, end: bool = False) -> Cut | None:
        generation, at = self.log.generation, self.offset
        self.offset = at + len(chunk)
        self.ledger.taken(Span(generation, at, self.offset))
        cut = self.cutter.push(generation, at, chunk, end=end)
        self._waiting.note()
        return cut


class Late:
    """Of one feed."""

    def __init__(self, follower: Follower, world: World, losing: Losing) -> None:
        self._follower, self._world, self._losing = follower, world, losing
        self.files: dict[LogGeneration, LateFile] = {}
        """Nearly always none."""

    def __bool__(self) -> bool:
        return bool(self.files)

    def __iter__(self) -> Iterator[LateFile]:
        return iter(self.files.values())

    def __contains__(self, log: LogGeneration) -> bool:
        return log in self.files

    def add(self, log: LogGeneration, offset: int, reading: Position) -> None:
        """Something was added after `offset`; the feed reads at `reading`, perhaps past it."""
        if log in self.files or log.generation == reading.generation:
            return
        if self._follower.generations.precedes(Position(log.generation, offset), reading):
            self.files[log] = LateFile(self._follower, self._world, log, offset)

    def committed(self, others: Position | None) -> Position | None:
        """The first byte that is not settled; `others`: the first of those that are not late."""
        for file in self:
            at = file.ledger.committed
            if others is None or (at and self._follower.generations.precedes(at, others)):
                others = at
        return others

    @property
    def unsettled_bytes(self) -> int:
        return sum(file.ledger.unsettled_bytes for file in self)

    @property
    def open_bytes(self) -> int:
        return sum(file.cutter.open_bytes for file in self)

    def due(self) -> bool:
        return any(file.due() for file in self)

    async def take(self, max_bytes: int) -> tuple[Cut, LogGeneration] | None:
        """The next finished block of any, and where it comes from. Raises OSError."""
        for file in list(self):
            try:
                cut = await file.take(max_bytes)
            except DamagedFile:
                self._losing.lost(Reason.DAMAGED, 1, file.log)  # how much, it cannot tell
                file.log.size = file.offset
                continue
            if cut is not None:
                file.ledger.keep_whole(cut.straddles)
                return cut, file.log
        return None

    def settle(self, pieces: Sequence[Span]) -> list[Span]:
        """Settles what is late; gives what is not."""
        others = list(pieces)
        for file in self:
            others = file.settle(others)
        return others

    def finish(self) -> bool:
        """Whether some are over: these are forgotten."""
        for file in self:
            unread = file.not_taken and not file.log.let_go
            if file.cut_off and not unread and self._follower.ended(file.log):
                self._losing.lost(Reason.TRUNCATED, file.cut_off, file.log)
                file.offset = file.log.truncated_from
        over = [log for log, file in self.files.items() if file.over]
        for log in over:
            del self.files[log]
        return bool(over)
