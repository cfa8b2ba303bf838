"""What a route has done since the process started, in rows and bytes."""

from collections import Counter
from dataclasses import asdict, dataclass, field, fields

from logship.tail.loss import Loss, Reason


@dataclass(slots=True)
class Losses:
    events: int = 0
    bytes: int = 0
    """At least so many."""
    exact: bool = True
    """Whether they are exactly so many."""


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
    lost: dict[tuple[str, Reason], Losses] = field(default_factory=dict)
    """By namespace and reason."""
    bugs: int = 0
    last_error: str = ""
    window: int = 0
    """Writes that may be on their way at once, now."""
    held_bytes: int = 0
    """Of memory, by batches that are not settled, now."""
    writes_by_result: Counter[str] = field(default_factory=Counter)
    """Tries: delivered, partial (some rows come again), throttled, failed, timed_out, bug, given_up
    (another route needed the memory)."""
    write_secs: float = 0.0
    """Round trips of the delivered ones, added up."""
    throttled: int = 0
    """Times that the destination asked for less."""
    backoff_secs: float = 0.0
    """Writes have waited so long for their next try, added up."""
    waited_for_sink_secs: float = 0.0
    """Nothing was read for so long, because the sink failed or took no more writes."""
    waited_for_memory_secs: float = 0.0
    """Nothing was read for so long, because `memory.max_bytes` was used up."""
    waited_for_rate_secs: float = 0.0
    """Writes have waited so long because of `max_bytes_per_sec`."""

    def lose(self, namespace: str, loss: Loss) -> None:
        self.lost_events += 1
        self.lost_bytes += loss.bytes
        losses = self.lost.setdefault((namespace, loss.reason), Losses())
        losses.events += 1
        losses.bytes += loss.bytes
        losses.exact = losses.exact and loss.exact

    def as_dict(self) -> dict[str, object]:
        """JSON-ready. (`dataclasses.asdict` would count the items of the Counter.)"""
        shown = {name.name: getattr(self, name.name) for name in fields(self)}
        counted = {"dropped_rows", "writes_by_result"}
        shown |= {name: dict(getattr(self, name)) for name in counted}
        return shown | {"lost": self._lost()}

    def _lost(self) -> dict[str, dict[str, dict[str, object]]]:
        found: dict[str, dict[str, dict[str, object]]] = {}
        for (namespace, reason), losses in sorted(self.lost.items(), key=_by_name):
            found.setdefault(namespace, {})[reason.value] = asdict(losses)
        return found


def _by_name(item: tuple[tuple[str, Reason], Losses]) -> tuple[str, str]:
    (namespace, reason), _ = item
    return namespace, reason.value
