"""What was written, what each route has made durable, and what must hold of the two.

Rows are expected under ids that are computed here, from the definition of an address and not by the
agent's code. `Truth` only collects problems: who drives the run looks at them after every step.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from logship.rows.address import Position
from tests.simulation.files import Node
from tests.simulation.loop import Time
from tests.simulation.scenario import RoutePlan
from tests.simulation.storm import ERROR_AND_ABOVE, Announced, severity_of, summary_of

HEAD_BYTES = 1024
"""How much of the first line is in a generation's digest."""


@dataclass(eq=False)
class Record:
    """A row as the application wrote it."""

    id: str
    offset: int
    """In the first of its files."""
    time: str
    stream: str
    files: list["WrittenFile"]
    text: str = ""
    at: float = float("inf")
    """When its last byte was written."""

    @property
    def at_risk(self) -> bool:
        return any(file.at_risk for file in self.files)


@dataclass(eq=False)
class WrittenFile:
    """One physical file: a generation."""

    key: str
    path: str
    nodes: list[Node]
    """It, and its compressed copy."""
    size: int = 0
    """With what its writer has in hand."""
    generation: tuple[int, int] | None = None
    records: list[Record] = field(default_factory=list)
    """By offset."""
    inside: dict[Record, tuple[int, float]] = field(default_factory=dict)
    """Of records in parts: no position may be behind the first offset, up to the second one."""
    compressed: bool = False
    at_risk: bool = False
    """It went when no process held it: what was not delivered by then may be lost."""

    @property
    def exists(self) -> bool:
        return any(node.links for node in self.nodes)

    def name(self, time_ns: int, first_line: bytes) -> None:
        digest = blake2b(first_line[:HEAD_BYTES], digest_size=4).digest()
        self.generation = time_ns, int.from_bytes(digest)

    def id_at(self, offset: int) -> str:
        assert self.generation is not None
        time_ns, digest = self.generation
        origin = blake2b(self.key.encode(), digest_size=6).hexdigest()
        return f"{origin}{time_ns:016x}{digest:08x}{offset:012x}"


@dataclass(eq=False)
class RouteTruth:
    """What is durable at a route: written there, or among its dead letters."""

    plan: RoutePlan
    above: tuple[RoutePlan, ...]
    durable: set[str] = field(default_factory=set)
    announced: Announced = field(default_factory=Announced)
    _passed: dict[WrittenFile, int] = field(default_factory=dict)
    """So many records of the file are done, from its first on."""

    def done(self, record: Record) -> bool:
        if record.id in self.durable or not self.wants(record):
            return True
        return self.plan.shed is not None and self.announced.dropped(
            record.id, severity_of(record.text)
        )

    def wants(self, record: Record) -> bool:
        if self.plan.drops and "drop" in record.text:
            return False
        if self.plan.stream not in ("", record.stream):
            return False
        return all(plan.goes_on or plan.stream != record.stream for plan in self.above)

    def first_missing(self, file: WrittenFile) -> Record | None:
        at, records = self._passed.get(file, 0), file.records
        while at < len(records) and self.done(records[at]):
            at += 1
        self._passed[file] = at
        return records[at] if at < len(records) else None


class Truth:
    def __init__(
        self, time: Time, plans: Iterable[RoutePlan], troubled: Callable[[RoutePlan], bool]
    ) -> None:
        """`troubled`: whether a route had, or has, a reason to fall behind."""
        self._time, self.troubled = time, troubled
        of = tuple(plans)
        self.routes = {plan.name: RouteTruth(plan, of[:n]) for n, plan in enumerate(of)}
        self.logs: dict[str, list[WrittenFile]] = {}
        """By origin, in the order they were written."""
        self.records: dict[str, Record] = {}
        self.continued: dict[str, Record] = {}
        """By the id that a later part would have if it were a row."""
        self.copies = 0
        """Rows that arrived once more."""
        self.problems: list[str] = []

    def problem(self, text: str) -> None:
        self.problems.append(f"at {self._time.now:.6f}: {text}")

    def files(self) -> Iterable[WrittenFile]:
        return (file for files in self.logs.values() for file in files)

    def arrived(self, route: str, id_: str, text: str, time: str, stream: str) -> None:
        """A row is durable at the route."""
        record = self.records.get(id_)
        if record is None and (told := summary_of(text)) is not None:
            self._announced(route, id_, told)
            return
        if record is None:
            before = self.continued.get(id_)
            if before is None or not before.at_risk:
                self.problem(f"route {route}: a row that nobody wrote: {id_} {text[:60]!r}")
            return
        same = (record.text, record.time, record.stream) == (text, time, stream)
        if not same and not record.at_risk:
            self.problem(
                f"route {route}: {id_} is {record.time} {record.stream} {record.text[:60]!r},"
                f" but {time} {stream} {text[:60]!r} arrived"
            )
        found = self.routes[route]
        if not found.wants(record):
            self.problem(f"route {route}: {id_} is not for it: {record.text[:60]!r}")
        if id_ in found.durable:
            self.copies += 1
        found.durable.add(id_)

    def settled(self, route: str, ids: Iterable[str]) -> None:
        """The agent is done with these rows."""
        found = self.routes[route]
        for id_ in ids:
            record = self.records.get(id_)
            if record is None or found.done(record):
                continue
            if problem := self._shed(found, record):
                self.problem(f"route {route}: {problem}")
                return

    def _shed(self, route: RouteTruth, record: Record) -> str:
        """It is durable nowhere: was it dropped, as it may be, and was that said?"""
        plan, severity = route.plan.shed, severity_of(record.text)
        if plan is None:
            return f"settled before it was durable: {record.id}"
        if severity in ERROR_AND_ABOVE or not plan.may_drop(record.id, severity):
            return f"dropped though no rule says so: {record.id} {record.text[:60]!r}"
        if not self.troubled(route.plan):
            return f"dropped without a trigger: {record.id}"
        return route.announced.drop(record.id, severity)

    def _announced(self, route: str, id_: str, told: tuple[str, int]) -> None:
        if problem := self.routes[route].announced.tell(id_, told):
            self.problem(f"route {route}: {problem}")

    def goes_on(self, record: Record, file: WrittenFile, offset: int) -> None:
        """Its next part lies there."""
        first = record.files[0]
        if file is first:
            file.inside[record] = record.offset, offset
        else:
            first.inside[record] = record.offset, float("inf")
            file.inside[record] = -1, offset
        record.files.append(file)
        self.continued[file.id_at(offset)] = record

    def saved(self, route: str, key: str, position: Position) -> None:
        """The next process will begin here: nothing before it may be missing."""
        files = self.logs[key]
        names = [file.generation for file in files]
        if position.generation not in names:
            self.problem(f"route {route}: saved {position}, in a file that nobody wrote")
            return
        here = names.index(position.generation)
        for record, (low, high) in files[here].inside.items():
            if low < position.offset <= high and not record.at_risk:
                self.problem(f"route {route}: saved {position} of {key}, inside of {record.id}")
                return
        for file in files[: here + 1]:
            missing = self.routes[route].first_missing(file)
            if missing is None or file.at_risk:
                continue
            if file is not files[here] or missing.offset < position.offset:
                self.problem(
                    f"route {route}: saved {position} of {key}, but {missing.id} before it"
                    " is durable nowhere"
                )
                return

    def missing(self, route: RouteTruth) -> Record | None:
        """The first that is."""
        for file in self.files():
            record = None if file.at_risk else route.first_missing(file)
            if record is not None and not record.at_risk:
                return record
        return None
