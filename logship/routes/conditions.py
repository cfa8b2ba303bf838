"""Which rows of a batch a route takes: its own `when`, and not those of the routes above it.

A row that fails a route's `when` falls through to the next route that matches its origin. Each
route finds its rows by itself, by evaluating the conditions above it too; conditions are pure
functions of the joined row before transforms, so all routes agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from logship.batch import Batch
from logship.routes.tabled import mask_of
from logship.routes.when import Condition
from logship.rows.objects import Parsed
from logship.rows.rows import Rows
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
        mask: Sequence[object] | None = mask_of(batch.rows, conditions, self._takes)
        rows = with_fields(batch.rows)
        if mask is None:
            mask = self._mask(rows, conditions)
        return batch.with_fields(rows).keep(mask)

    def _mask(self, rows: Rows, conditions: Sequence[Condition]) -> list[bool]:
        severities: Sequence[str] = [""] * len(rows)
        fields = rows.fields or [None] * len(rows)
        if any(condition.needs_severity for condition in conditions):
            severities = list(map(of_row, rows.texts, rows.streams, fields))
        return list(map(self._takes, rows.streams, severities, fields))

    def _takes(self, stream: str, severity: str, fields: Mapping[str, object] | None) -> bool:
        if any(above.evaluate(stream, severity, fields) for above in self.above):
            return False
        return self.own is None or self.own.evaluate(stream, severity, fields)


def with_fields(rows: Rows) -> Rows:
    """The rows with their parsed JSON objects."""
    if rows.fields is not None:
        return rows
    return replace(rows, fields=Parsed(rows.texts))
