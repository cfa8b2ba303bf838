"""What a route has done since the process started, in rows and bytes.

Rows are counted after joining, and each that was read is in one place at any moment:

    read + reread + made = delivered + passed + dropped + dead + released + held

so a row that left without a trace is seen at once (`unaccounted`). What a failing sink gives back
(`released`) is taken again later (`reread`), whole batches of it, also the rows of them that were
delivered before: those arrive twice, with the same ids. A row that a sink splits counts once. Rows
that the agent writes itself (`made`) were not read: what it shed, what is wrong in an annotation.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields

from logship.batch import Batch
from logship.loudest import Loudest
from logship.metrics.histogram import Histogram
from logship.outcome import Altered, Refused
from logship.rows.address import Mark
from logship.said import Said
from logship.tail.loss import Loss, Reason

MAX_NAMESPACES = 200
"""So many are counted by name, the first that come; the rest are `OTHER` as long as it runs."""
OTHER = "other"


@dataclass(slots=True)
class Losses:
    events: int = 0
    bytes: int = 0
    """At least so many."""
    exact: bool = True
    """Whether they are exactly so many."""


@dataclass(slots=True)
class Read:
    rows: int = 0
    bytes: int = 0


@dataclass(slots=True)
class RouteCounters:
    taken_bytes: int = 0
    """Of log, read from the disk or the broker; what is read again counts again."""
    read_rows: int = 0
    """For the first time."""
    reread_rows: int = 0
    """Once more, after they were given back."""
    made_rows: int = 0
    """The agent's own, about a log."""
    delivered_rows: int = 0
    delivered_bytes: int = 0
    """Of log: of whole batches, with what was dropped from them."""
    dropped_rows: Counter[str] = field(default_factory=Counter)
    """By the transform, or the rule of shedding, that dropped them."""
    passed_rows: int = 0
    """Left to other routes, by `when`."""
    dead_rows: int = 0
    released_rows: int = 0
    """Given back without being delivered, since the sink fails: to be read again."""
    held_rows: int = 0
    """In memory: neither delivered nor given up."""
    altered_rows: Counter[str] = field(default_factory=Counter)
    """Delivered, but not as they were written, by what happened (see `Mark`, `Altered`)."""
    writes: int = 0
    retries: int = 0
    released: int = 0
    """Batches."""
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
    sink_error: Said = field(default_factory=Said)
    """What the sink said last when it failed."""
    read_by: dict[str, Read] = field(default_factory=dict)
    """First reads by namespace."""
    loudest: Loudest = field(default_factory=Loudest)
    write_latency: Histogram = field(default_factory=Histogram)

    def read(self, namespace: str, batch: Batch) -> None:
        """A batch was taken."""
        rows, size = batch.row_count(), batch.size()
        self.taken_bytes += size
        if batch.reread:
            self.reread_rows += rows
            return
        if batch.made:
            self.made_rows += rows
            return
        self.read_rows += rows
        labels = batch.origin.labels
        self.loudest.add((namespace, labels.get("pod") or batch.origin.key), size)
        by = self.read_by.get(namespace) or self._read_by(namespace)
        by.rows += rows
        by.bytes += size

    def _read_by(self, namespace: str) -> Read:
        return self.read_by.setdefault(self.named(namespace), Read())

    def named(self, namespace: str) -> str:
        """The name that it is counted under: the number of names is bounded."""
        if namespace in self.read_by or len(self.read_by) >= MAX_NAMESPACES:
            return namespace if namespace in self.read_by else OTHER
        self.read_by[namespace] = Read()
        return namespace

    def leave_out(self, passed: int, dropped: Iterable[tuple[str, int]]) -> None:
        """Of a batch that was taken: rows that are not for the sink."""
        self.passed_rows += passed
        for rule, rows in dropped:
            self.dropped_rows[rule] += rows

    def hold(self, batch: Batch) -> None:
        """It is on its way to the sink."""
        self.held_rows += batch.row_count()

    def deliver(
        self, batch: Batch, rows: int, left: Batch | None, refused: Sequence[Refused]
    ) -> None:
        """So many rows of it are durable: all but those refused and those left."""
        self.held_rows -= rows
        self.delivered_rows += rows
        if marks := batch.marks():
            gone = {row.row for row in refused}
            self._alter(1, [mark for row, mark in marks.items() if row not in gone])
            self._alter(-1, left.marks().values() if left is not None else ())

    def _alter(self, by: int, marks: Iterable[Mark]) -> None:
        for mark in marks:
            for how in mark.names():
                self.altered_rows[how] += by

    def alter(self, altered: Iterable[Altered]) -> None:
        """As the sink tells of rows that it delivered."""
        for one in altered:
            self.altered_rows[one.how] += one.rows

    def bury(self, rows: int) -> None:
        """They are in the dead letters."""
        self.held_rows -= rows
        self.dead_rows += rows

    def release(self, batch: Batch) -> None:
        """What is left of it is forgotten; all of it is taken again later."""
        self.held_rows -= batch.row_count()
        self.give_back(batch)

    def give_back(self, batch: Batch) -> None:
        """A batch that was not held yet."""
        self.released_rows += batch.row_count()
        self.released += 1

    def fail(self, reason: str, at_ns: int) -> None:
        """The sink, or the dead letters, said so."""
        self.sink_error = Said.of(reason, at_ns)
        self.last_error = self.sink_error.text

    @property
    def unaccounted(self) -> int:
        """Rows that were read and are nowhere: 0, or there is a bug."""
        gone = self.delivered_rows + self.passed_rows + self.dead_rows + self.released_rows
        dropped = sum(self.dropped_rows.values())
        came = self.read_rows + self.reread_rows + self.made_rows
        return came - gone - dropped - self.held_rows

    def lose(self, namespace: str, loss: Loss) -> None:
        self.lost_events += 1
        self.lost_bytes += loss.bytes
        losses = self.lost.setdefault((self.named(namespace), loss.reason), Losses())
        losses.events += 1
        losses.bytes += loss.bytes
        losses.exact = losses.exact and loss.exact

    def as_dict(self) -> dict[str, object]:
        """JSON-ready: all numbers and texts, and what is counted by some name."""
        every = {name.name: getattr(self, name.name) for name in fields(self)}
        shown = {
            name: value for name, value in every.items() if isinstance(value, (int, float, str))
        }
        counted = {name: dict(value) for name, value in every.items() if isinstance(value, Counter)}
        return shown | counted | {"lost": self._lost(), "unaccounted_rows": self.unaccounted}

    def _lost(self) -> dict[str, dict[str, dict[str, object]]]:
        found: dict[str, dict[str, dict[str, object]]] = {}
        for (namespace, reason), losses in sorted(self.lost.items(), key=_by_name):
            found.setdefault(namespace, {})[reason.value] = asdict(losses)
        return found


def _by_name(item: tuple[tuple[str, Reason], Losses]) -> tuple[str, str]:
    (namespace, reason), _ = item
    return namespace, reason.value
