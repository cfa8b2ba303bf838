"""Which bytes of a feed are settled.

Spans finish in any order. `committed` only moves over a gap-free prefix, so after a crash we may
send a row twice but never skip one. Nothing here knows about files or time.
"""

from collections.abc import Sequence

from logship.rows.address import Position, Span


class Ledger:
    """Bytes in reading order: [settled ...][gaps: taken but not settled][not taken]."""

    def __init__(self, start: Position | None) -> None:
        self._read_to = start
        self._gaps: list[Span] = []
        """In reading order, not overlapping."""

    @property
    def committed(self) -> Position | None:
        """Everything before it is settled; None before anything was read."""
        if self._gaps:
            return Position(self._gaps[0].generation, self._gaps[0].start)
        return self._read_to

    @property
    def unsettled_bytes(self) -> int:
        return sum(gap.size for gap in self._gaps)

    def taken(self, span: Span) -> None:
        """These bytes were read; they come right after all that was read before."""
        if span.end > span.start:
            last = self._gaps[-1] if self._gaps else None
            if last and last.generation == span.generation and last.end == span.start:
                self._gaps[-1] = last._replace(end=span.end)
            else:
                self._gaps.append(span)
        self._read_to = Position(span.generation, span.end)

    def settle(self, pieces: Sequence[Span]) -> None:
        """These bytes are done. Raises ValueError for bytes that are not out: a bug."""
        for piece in pieces:
            if piece.end > piece.start:
                self._settle(piece)

    def _settle(self, piece: Span) -> None:
        at = next((n for n, gap in enumerate(self._gaps) if _inside(piece, gap)), None)
        if at is None:
            raise ValueError(f"settled twice, or never taken: {piece}")
        gap = self._gaps[at]
        parts = (gap._replace(end=piece.start), gap._replace(start=piece.end))
        self._gaps[at : at + 1] = [part for part in parts if part.size]


def _inside(piece: Span, gap: Span) -> bool:
    same = piece.generation == gap.generation
    return same and gap.start <= piece.start and piece.end <= gap.end
