"""What a route has done since the process started, in rows and bytes."""

from collections import Counter
from dataclasses import dataclass, field, fields


@dataclass(slots=True)
class RouteCounters:
    taken_bytes: int = 0
    """Of log, read from the disk or the broker; what is read again counts again."""
    delivered_rows: int = 0
    """Rows; of a batch that was never indexed (blocks), physical lines."""
    delivered_bytes: int = 0
    dropped_rows: Counter[str] = field(default_factory=Counter)
    """By the transform that dropped them."""
    passed_rows: int = 0
    """Left to other routes, by `when`."""
    dead_rows: int = 0
    writes: int = 0
    retries: int = 0
    released: int = 0
    lost_events: int = 0
    """Times that bytes were gone before they were read."""
    lost_bytes: int = 0
    """At least so many."""
    bugs: int = 0
    last_error: str = ""

    def as_dict(self) -> dict[str, object]:
        """JSON-ready. (`dataclasses.asdict` would count the items of the Counter.)"""
        shown = {name.name: getattr(self, name.name) for name in fields(self)}
        return shown | {"dropped_rows": dict(self.dropped_rows)}
