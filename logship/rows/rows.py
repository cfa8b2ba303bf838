"""Rows: what applications wrote, as columns.

The columns of a batch are made from its block only when somebody asks. A joined row has the address
and the time of its first part. Rare things (marks, a row that began in an older generation) live in
small dicts beside the columns, so that the common row pays nothing for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

from logship.rows.address import PLAIN, Generation, Mark, id_prefix, id_tails, row_id

JsonObject = Mapping[str, object]


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
        ids = [prefix + tail.decode() for tail in id_tails(self.generation, self.offsets)]
        for row, generation in self.elsewhere.items():
            ids[row] = row_id(origin, generation, self.offsets[row])
        return ids

    def keep(self, mask: Sequence[object]) -> "Rows":
        """The rows whose entry in `mask` is true."""
        kept = {old: new for new, old in enumerate(compress(range(len(self)), mask))}
        return replace(
            self,
            offsets=list(compress(self.offsets, mask)),
            times=list(compress(self.times, mask)),
            streams=list(compress(self.streams, mask)),
            texts=list(compress(self.texts, mask)),
            fields=None if self.fields is None else list(compress(self.fields, mask)),
            given_ids=None if self.given_ids is None else list(compress(self.given_ids, mask)),
            marks={kept[row]: mark for row, mark in self.marks.items() if row in kept},
            elsewhere={kept[row]: old for row, old in self.elsewhere.items() if row in kept},
        )
