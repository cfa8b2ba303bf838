"""The time of the last row before a feed's position: where a loss begins, if there is one.

Nearly never asked for, so settling a batch costs two searches: the last line of each batch is kept
until the position has moved over it, and is taken apart only when somebody asks.
"""

from logship.batch import Batch
from logship.rows.address import Position, time_ns
from logship.rows.lines import FORMATS

_CRI_BYTES = 64
"""More than the time of a CRI line takes."""


class LastRow:
    def __init__(self, format: str, ns: int) -> None:
        self._format = format
        self._ns = ns
        self._line: tuple[bytes, int] | None = None
        """The last settled line and the time of its file; None: `_ns` says it."""
        self._ahead: dict[Position, tuple[bytes, int]] = {}
        """By the end of their batch: settled, but the position has not come to them."""

    def settled(self, batch: Batch, committed: Position | None, *, all_of_it: bool) -> None:
        """`committed` is the position after the batch was settled; `all_of_it`: nothing is out."""
        span = batch.pieces[-1]
        end = Position(span.generation, span.end)
        if all_of_it and end == committed:  # as nearly always
            self._line = self._last(batch)
            self._ahead.clear()
            return
        self._ahead[end] = self._last(batch)
        if committed in self._ahead:
            self._line = self._ahead[committed]
        if all_of_it:
            self._ahead.clear()
        elif committed is not None:
            self._ahead = {end: line for end, line in self._ahead.items() if end > committed}

    def _last(self, batch: Batch) -> tuple[bytes, int]:
        start = batch.block.rfind(b"\n", 0, -1) + 1
        end = start + _CRI_BYTES if self._format == "cri" else len(batch.block)
        return batch.block[start:end], batch.mtime_ns

    @property
    def ns(self) -> int:
        """In ns since 1970; 0: not known."""
        if self._line is not None:
            line, mtime_ns = self._line
            self._ns, self._line = self._time(line) or mtime_ns, None
        return self._ns

    def _time(self, line: bytes) -> int:
        """0: it has none."""
        try:
            if self._format == "cri":  # much faster than taking it apart
                return time_ns(line[: line.find(b" ")].decode("ascii"))
            times = FORMATS[self._format](line, 0).times
            return time_ns(times[0]) if times and times[0] else 0
        except ValueError:
            return 0
