"""A batch: rows of one origin, as a block and its index.

The block is bytes as they lie on the disk; columns are made when somebody asks (a sink that ships
the block never does). Transforms make new batches of the same spans with other rows or labels, so
that settling a batch always settles the bytes it was made of.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from logship.origin import Labels, Origin
from logship.rows.address import Mark, Span
from logship.rows.count import lines_as_rows
from logship.rows.index import Cutting, index
from logship.rows.keeping import keep
from logship.rows.rows import Rows

COLUMN_BYTES = 250
"""What the columns of one row cost beside its text, measured with tracemalloc."""
_SAMPLE_BYTES = 4096


@dataclass(eq=False, slots=True)
class Batch:
    origin: Origin
    labels: Labels
    """Of the origin when the batch was taken, as transforms changed them."""
    pieces: tuple[Span, ...]
    block: bytes
    """Untouched: the bytes of `pieces`, one after the other."""
    cutting: Cutting
    mtime_ns: int = 0
    """When the file was last written before the batch was taken: the time of rows without one."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Labels that transforms added, for the destination's user labels."""
    route: str = ""
    """The name of the route that took it."""
    feed_key: object = None
    """The feed's own handle, opaque to everybody else (a broker's ack ids)."""
    reread: bool = False
    """Whether it was taken before, and given back."""
    made: bool = False
    """Whether its rows are the agent's own (see `notice`), and stand for no bytes of a log."""
    _rows: Rows | None = None
    _counted: tuple[int, Mapping[int, Mark]] | None = None
    """How many rows there are and those that are marked, where the columns are not at hand."""
    _changed: bool = False
    _ids: list[str] | None = None

    @property
    def rows(self) -> Rows:
        """Columns, found once."""
        if self._rows is None:
            self._rows = index(self.block, self.pieces, self.cutting)
        return self._rows

    @property
    def touched(self) -> bool:
        """Whether a transform changed the rows, so that the block no longer says what they are."""
        return self._changed

    def ids(self) -> list[str]:
        """Per row its id, 48 characters."""
        if self._ids is None:
            self._ids = self.rows.ids(self.origin.digest)
        return self._ids

    def with_rows(self, rows: Rows) -> "Batch":
        """The same spans with other rows; ids stay those of the rows' addresses."""
        return replace(self, _rows=rows, _changed=True, _ids=None, _counted=None)

    def with_fields(self, rows: Rows) -> "Batch":
        """The same rows, now with a column of parsed fields: nothing that is delivered changed."""
        return replace(self, _rows=rows)

    def keep(self, mask: Sequence[object]) -> "Batch":
        """Only the rows whose entry in `mask` is true; the spans stay."""
        if all(mask):
            return self
        return self.with_rows(keep(self.rows, mask))

    def forget_columns(self) -> None:
        """Give back the memory of columns that can be made again."""
        if not self._changed and self._rows is not None:
            self._counted = len(self._rows), self._rows.marks
            self._rows = self._ids = None

    def spans_only(self) -> "Batch":
        """What settling it needs: its spans, and the last line. The rows are gone."""
        last = self.block[self.block.rfind(b"\n", 0, -1) + 1 :]
        return replace(self, block=last, _rows=None, _ids=None, _counted=None)

    def is_empty(self) -> bool:
        """Whether there are no rows; a block has at least one."""
        return not (self.block if self._rows is None else len(self._rows))

    def row_count(self) -> int:
        """Rows, as `rows` has them; no columns are made where the lines alone can tell."""
        if self._rows is not None:
            return len(self._rows)
        if self._counted is None:
            count = lines_as_rows(self.block, self.cutting)
            self._counted = None if count is None else (count, {})
        return len(self.rows) if self._counted is None else self._counted[0]

    def marks(self) -> Mapping[int, Mark]:
        """Of the rows that have one. (`malformed` only where columns were made, see `count`.)"""
        if self._rows is not None:
            return self._rows.marks
        self.row_count()
        return self.rows.marks if self._counted is None else self._counted[1]

    def size(self) -> int:
        """Bytes of log this batch stands for."""
        return len(self.block)

    def held_bytes(self) -> int:
        """Bytes of memory this batch holds while it is encoded and on its way.

        The block, its decoded text and the request body are each about as large as the block;
        the objects of the columns come on top, per row. Rows that were not found yet are estimated
        from the first.
        """
        size = len(self.block)
        if self._rows is not None:
            return 4 * size + COLUMN_BYTES * (1 + len(self._rows))
        rows = 1 + self.block.count(b"\n", 0, _SAMPLE_BYTES) * size // min(size + 1, _SAMPLE_BYTES)
        return 4 * size + COLUMN_BYTES * rows
