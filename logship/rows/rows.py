"""Rows: what applications wrote, as columns.

The columns of a batch are made from its block only when somebody asks. A joined row has the address
and the time of its first part. Rare things (marks, a row that began in an older generation) live in
small dicts beside the columns, so that the common row pays nothing for them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, count, pairwise
from typing import TYPE_CHECKING, Protocol, TypeVar

from logship.rows import kernel
from logship.rows.address import PLAIN, Generation, Mark, id_low, id_prefix, ids_of, row_id

if TYPE_CHECKING:
    from logship.rows._kernel import Table

T = TypeVar("T")
JsonObject = Mapping[str, object]


class _Pick(Protocol):
    """Picks the same rows out of any column."""

    def __call__(self, column: Sequence[T]) -> list[T]: ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of equal length, one entry a row, in the order the rows were completed."""

    generation: Generation
    """Of all rows but those in `elsewhere`."""
    offsets: Sequence[int]
    """Where each row's first part begins, in uncompressed bytes of its generation."""
    times: Sequence[str]
    """RFC 3339 as the runtime wrote it; empty for a line of plain text without one."""
    streams: Sequence[str]
    texts: Sequence[str]
    fields: Sequence[JsonObject | None] | None = None
    """Per row its parsed JSON object (None where it is none), once a transform has parsed it."""
    marks: Mapping[int, Mark] = field(default_factory=dict)
    elsewhere: Mapping[int, Generation] = field(default_factory=dict)
    given_ids: Sequence[str] | None = None
    """Ids that came with the rows (from a broker), in place of those made of addresses."""

    def __len__(self) -> int:
        return len(self.texts)

    def generation_of(self, row: int) -> Generation:
        return self.elsewhere.get(row, self.generation)

    def mark(self, row: int) -> Mark:
        return self.marks.get(row, PLAIN)

    def ids(self, origin: str) -> list[str]:
        """Per row its id (48 characters); `origin` is the origin's digest."""
        if self.given_ids is not None:
            return list(self.given_ids)
        prefix = id_prefix(origin, self.generation)
        if not self.elsewhere and (
            made := kernel.row_ids(self.offsets, prefix, id_low(self.generation))
        ):
            return made
        ids = ids_of(prefix, self.generation, self.offsets)
        for row, generation in self.elsewhere.items():
            ids[row] = row_id(origin, generation, self.offsets[row])
        return ids

    @property
    def table(self) -> "Table | None":
        """The compiled index that these columns show, if they do."""
        return kernel.table_of(self.offsets, self.times, self.streams, self.texts)

    def latest_minute(self) -> str | None:
        """No row is of a later one, if all are in UTC and that is known at once; else None."""
        table = self.table if self.given_ids is None else None
        return table.latest_minute() if table is not None else None

    def keep(self, mask: Sequence[object]) -> "Rows":
        """The rows whose entry in `mask` is true."""
        return self._pick(lambda column: list(compress(column, mask)), compress(count(), mask))

    def without(self, gone: Collection[int]) -> "Rows":
        """All rows but a few: cheap where few are gone."""
        edges = [-1, *sorted(gone), len(self)]
        runs = [slice(a + 1, b) for a, b in pairwise(edges) if a + 1 < b]
        rest = (row for run in runs for row in range(run.start, run.stop))

        def pick(column: Sequence[T]) -> list[T]:
            kept: list[T] = []
            for run in runs:
                kept += column[run]
            return kept

        return self._pick(pick, rest)

    def _pick(self, pick: "_Pick", rest: Iterable[int]) -> "Rows":
        new = dict(zip(rest, count(), strict=False)) if self.marks or self.elsewhere else {}
        return replace(
            self,
            offsets=pick(self.offsets),
            times=pick(self.times),
            streams=pick(self.streams),
            texts=pick(self.texts),
            fields=None if self.fields is None else pick(self.fields),
            given_ids=None if self.given_ids is None else pick(self.given_ids),
            marks={new[row]: mark for row, mark in self.marks.items() if row in new},
            elsewhere={new[row]: old for row, old in self.elsewhere.items() if row in new},
        )
