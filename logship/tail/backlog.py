"""What of an origin a feed has not read, and not settled: from sizes and positions, when asked."""

from collections.abc import Iterator

from logship.rows.address import Generation, Span
from logship.rows.cut import Cutter
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.late import Late
from logship.tail.ledger import Ledger
from logship.tail.released import Released


class Backlog:
    def __init__(
        self, follower: Follower, ledger: Ledger, released: Released, cutter: Cutter, late: Late
    ) -> None:
        self._follower, self._ledger, self._late = follower, ledger, late
        self._released, self._cutter = released, cutter

    def not_taken(self) -> Iterator[tuple[LogGeneration, int]]:
        """Generations with the bytes of each that were not taken, also of those let go."""
        at, follower = self._ledger.read_to, self._follower
        for log in (
            follower.generations if at is None else follower.generations.since(at.generation)
        ):
            read = at.offset if at and at.generation == log.generation else 0
            if log not in self._late:
                yield log, max(0, log.size - read)
        for file in self._late:
            yield file.log, file.not_taken

    def waiting(self) -> int:
        """Bytes on the disk that are in no batch."""
        fresh = sum(size for log, size in self.not_taken() if not log.let_go)
        return self._released.size + fresh + self._open_bytes

    @property
    def _open_bytes(self) -> int:
        return self._cutter.open_bytes + self._late.open_bytes

    def unread(self) -> list[Span]:
        """What `waiting` counts, in the order it was written."""
        fresh = [
            Span(log.generation, log.size - size, log.size)
            for log, size in self.not_taken() if size and not log.let_go
        ]  # fmt: skip
        place = {log.generation: n for n, log in enumerate(self._follower.generations)}
        spans = [*self._released.spans(), *self._cutter.open_spans(), *fresh]
        spans += [span for file in self._late for span in file.cutter.open_spans()]
        return sorted(spans, key=lambda span: (place.get(span.generation, -1), span.start))

    def unended(self) -> Span | None:
        """What of `unread` is no row yet: the last line, if nobody has ended it."""
        return self._cutter.unended()

    @property
    def in_flight_bytes(self) -> int:
        """In batches that are not settled."""
        taken = self._ledger.unsettled_bytes + self._late.unsettled_bytes
        return taken - self._released.size - self._open_bytes

    def unsettled(self) -> dict[Generation, int]:
        """Bytes of each generation that are not settled: to be read, out, or to be read again."""
        found = self._ledger.unsettled()
        for file in self._late:
            for generation, size in file.ledger.unsettled().items():
                found[generation] = found.get(generation, 0) + size
        for log, size in self.not_taken():
            if not log.let_go:
                found[log.generation] = found.get(log.generation, 0) + size
        return found
