"""Which rows of a batch a route takes: its own `when`, and not those of the routes above it.

A row that fails a route's `when` falls through to the next route that matches its origin. Each
route finds its rows by itself, by evaluating the conditions above it too; conditions are pure
functions of the joined row before transforms, so all routes agree. What they parse for that is
theirs alone: nothing of it is kept, or seen by a transform or a sink.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from logship.batch import Batch
from logship.routes.tabled import mask_of
from logship.routes.when import Condition
from logship.rows.objects import parse_object
from logship.rows.rows import JsonObject, Rows
from logship.severity import of_row


@dataclass(frozen=True, slots=True)
class Selection:
    own: Condition | None = None
    above: tuple[Condition, ...] = ()
    """Of routes above that keep the rows they take (no `continue`)."""

    @property
    def takes_all(self) -> bool:
        return self.own is None and not self.above

    def same_rows(self, other: "Selection") -> bool:
        """Whether both take the same, as far as one can see: the order above says nothing."""
        alike = all(condition in other.above for condition in self.above)
        return alike and len(self.above) == len(other.above) and self.own == other.own

    def apply(self, batch: Batch) -> Batch:
        """The batch with only the rows of this route."""
        if self.takes_all:
            return batch
        conditions = [*self.above, *([self.own] if self.own else [])]
        mask = mask_of(batch.rows, conditions, self._takes)
        return batch.keep(self._mask(batch.rows, conditions) if mask is None else mask)

    def _mask(self, rows: Rows, conditions: Sequence[Condition]) -> list[bool]:
        judged = any(condition.needs_severity for condition in conditions)
        columns: tuple[Iterable[str], Iterable[JsonObject | None]] = repeat(""), repeat(None)
        if judged or any(condition.needs_fields for condition in conditions):
            columns = rows.texts, _objects(rows)
        return [
            self._takes(stream, of_row(text, stream, found) if judged else "", found)
            for stream, text, found in zip(rows.streams, *columns, strict=False)
        ]

    def _takes(self, stream: str, severity: str, fields: Mapping[str, object] | None) -> bool:
        for condition in self.above:
            if condition.evaluate(stream, severity, fields):
                return False
        return self.own is None or self.own.evaluate(stream, severity, fields)


def _objects(rows: Rows) -> Iterator[JsonObject | None]:
    """Each is gone before the next is made: it can hold thirty times its text."""
    if rows.fields is None:
        return map(parse_object, rows.texts)
    return map(rows.fields.__getitem__, range(len(rows)))
