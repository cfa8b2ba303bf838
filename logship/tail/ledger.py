"""Which bytes of a feed are settled.

Spans finish in any order. `committed` only moves over a gap-free prefix, so after a crash we may
send a row twice but never skip one; and it never stands inside of a record whose parts have other
bytes between them, so that a record is read again whole or not at all. Nothing here knows about
files or time.
"""

from collections.abc import Sequence

from logship.rows.address import Generation, Position, Span
from logship.rows.cut import Straddle


class Ledger:
    """Bytes in reading order: [settled ...][gaps: taken but not settled][not taken]."""

    def __init__(self, start: Position | None) -> None:
        self._read_to = start
        self._gaps: list[Span] = []
        """In reading order, not overlapping."""
        self._straddles: list[Straddle] = []
        """In reading order of their starts."""
        self._order: dict[Generation, int] = {}

    @property
    def committed(self) -> Position | None:
        """Everything before it is settled, and reading may begin there; None: nothing was read."""
        if not self._gaps:
            return self._read_to
        at = Position(self._gaps[0].generation, self._gaps[0].start)
        for start, last_part in reversed(self._straddles):
            if self._place(start) < self._place(at) <= self._place(last_part):
                at = start
        return at

    def keep_whole(self, straddles: Sequence[Straddle]) -> None:
        """Records with other bytes between their parts; all of these were taken."""
        if straddles:
            self._straddles += straddles
            self._straddles.sort(key=lambda straddle: self._place(straddle.start))

    def _place(self, position: Position) -> tuple[int, int]:
        return self._order.get(position.generation, -1), position.offset

    @property
    def read_to(self) -> Position | None:
        """Where reading goes on; None: at the first byte there is."""
        return self._read_to

    @property
    def unsettled_bytes(self) -> int:
        return sum(gap.size for gap in self._gaps)

    def unsettled(self) -> dict[Generation, int]:
        """Bytes that were taken and are not settled, by generation."""
        found: dict[Generation, int] = {}
        for gap in self._gaps:
            found[gap.generation] = found.get(gap.generation, 0) + gap.size
        return found

    def taken(self, span: Span) -> None:
        """These bytes were read; they come right after all that was read before."""
        self._order.setdefault(span.generation, len(self._order))
        if span.end > span.start:
            last = self._gaps[-1] if self._gaps else None
            if last and last.generation == span.generation and last.end == span.start:
                self._gaps[-1] = Span(last.generation, last.start, span.end)
            else:
                self._gaps.append(span)
        self._read_to = Position(span.generation, span.end)

    def settle(self, pieces: Sequence[Span]) -> None:
        """These bytes are done. Raises ValueError for bytes that are not out: a bug."""
        for piece in pieces:
            if piece.end > piece.start:
                self._settle(piece)
        if self._straddles and (at := self.committed) is not None:
            here = self._place(at)
            self._straddles = [s for s in self._straddles if here < self._place(s.last_part)]

    def _settle(self, piece: Span) -> None:
        if self._gaps and self._gaps[0] == piece:  # as nearly always
            del self._gaps[0]
            return
        at = next((n for n, gap in enumerate(self._gaps) if _inside(piece, gap)), None)
        if at is None:
            raise ValueError(f"settled twice, or never taken: {piece}")
        gap = self._gaps[at]
        parts = (gap._replace(end=piece.start), gap._replace(start=piece.end))
        self._gaps[at : at + 1] = [part for part in parts if part.size]


def _inside(piece: Span, gap: Span) -> bool:
    same = piece.generation == gap.generation
    return same and gap.start <= piece.start and piece.end <= gap.end
