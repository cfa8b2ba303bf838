"""What arrived at one route, held against what was written.

Each batch is checked when it arrives: its bytes are those of a file, each row is a record from one
of its parts on, with the time and stream of that part, and is marked unfinished exactly if its end
is not in it. A row may end early or begin late only with a reason: a limit, a timeout, the end of
the container. Ids are shared by all routes: one for each place, one place for each id.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from logship.batch import Batch
from logship.rows.address import Generation, Mark
from logship.tail.feed import JOIN_TIMEOUT_SECS
from tests.property.agent_model.written import LIMIT, Log, Part, WrittenFile

Place = tuple[WrittenFile, int]


@dataclass
class Ids:
    """What all routes agree on."""

    logs: dict[str, Log] = field(default_factory=dict)
    files: dict[tuple[str, Generation], WrittenFile] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    by_place: dict[Place, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class Arrivals:
    def __init__(self, route: str, ids: Ids, now: Callable[[], float]) -> None:
        self.route, self._ids, self._now = route, ids, now
        self.places: set[Place] = set()
        """Rows that came, and parts that came within them."""
        self._ended: set[Part] = set()
        """Parts at which a row ended."""
        self._began: set[Part] = set()
        self._refused: dict[str, list[Part]] = {}

    def _problem(self, text: str) -> None:
        self._ids.problems.append(f"{self._now():.3f} route {self.route}: {text}")

    def take(self, batch: Batch, rows: Collection[int], refused: Collection[int] = ()) -> None:
        """These rows of the batch are durable; the refused ones once they are dead letters."""
        log = self._ids.logs[batch.origin.key]
        self._check_bytes(log, batch)
        found, ids = batch.rows, batch.ids()
        for row in [*rows, *refused]:
            file = self._ids.files.get((log.key, found.generation_of(row)))
            if file is None:
                self._problem(f"row of a generation that nobody wrote: {ids[row]}")
                continue
            place = file, found.offsets[row]
            self._check_id(ids[row], place)
            covered = self._covered(
                place, found.times[row], found.streams[row], found.texts[row], found.mark(row)
            )
            if row in refused:
                self._refused[ids[row]] = covered
            else:
                self._arrive(place, covered)

    def _arrive(self, place: Place, covered: list[Part]) -> None:
        self.places.add(place)
        self.places.update((part.file, part.offset) for part in covered[1:])

    def dead(self, id_: str) -> None:
        """The dead letters have it."""
        self._arrive(self._ids.places[id_], self._refused.get(id_, []))

    def _check_bytes(self, log: Log, batch: Batch) -> None:
        at = 0
        for generation, start, end in batch.pieces:
            piece = batch.block[at : at + end - start]
            at += end - start
            file = self._ids.files.get((log.key, generation))
            if file is None:
                file = self._bind(log, generation, start, piece)
            if file is None or file.content[start:end] != piece:
                self._problem(f"bytes that nobody wrote: {log.key} {start}-{end} {piece[:60]!r}")

    def _bind(
        self, log: Log, generation: Generation, start: int, piece: bytes
    ) -> WrittenFile | None:
        bound = set(self._ids.files.values())
        for file in log.files:
            if file not in bound and file.content[start : start + len(piece)] == piece:
                self._ids.files[log.key, generation] = file
                return file
        return None

    def _check_id(self, id_: str, place: Place) -> None:
        if self._ids.places.setdefault(id_, place) != place:
            self._problem(f"one id for two rows: {id_}")
        if self._ids.by_place.setdefault(place, id_) != id_:
            self._problem(f"two ids for one row: {id_}, {self._ids.by_place[place]}")

    def _covered(self, place: Place, time: str, stream: str, text: str, mark: Mark) -> list[Part]:
        """The parts that the row is made of; a problem if it is not."""
        file, offset = place
        part = file.parts.get(offset)
        if part is None:
            self._problem(f"a row where none begins: {file.path} {offset} {text[:60]!r}")
            return []
        if len(part.fragments) > 1:
            self._check_fragment(part, offset, text, mark)
            return []
        if (part.time, part.stream) != (time, stream):
            self._problem(f"another time or stream: {time} {stream} for {part.line!r}")
        covered = _parts(part, text, mark)
        if not covered or mark.malformed or mark.unfinished != (covered[-1].tag == "P"):
            self._problem(f"another text: {text[:80]!r} {mark} for {part.line!r}")
            return []
        self._began.add(part)
        self._ended.add(covered[-1])
        if mark.unfinished and not self._may_end(covered):
            self._problem(f"closed too early: {text!r} of {part.file.log.key}")
        return covered

    def _check_fragment(self, part: Part, offset: int, text: str, mark: Mark) -> None:
        start = offset - part.offset
        expected = part.line[start : start + LIMIT].rstrip(b"\n").decode()
        if start == 0:
            expected = expected.split(" ", 3)[3]
        last = offset == part.fragments[-1]
        if text != expected or mark.cut == last or mark.malformed != (start > 0):
            self._problem(f"a wrong fragment: {text[:80]!r} {mark}, expected {expected[:80]!r}")

    def _may_end(self, covered: list[Part]) -> bool:
        last, following = covered[-1], covered[-1].following
        if following is None:
            removed = last.file.log.removed_at is not None
            return removed or self._now() - last.at >= JOIN_TIMEOUT_SECS
        size = sum(len(part.line) for part in covered)
        return size + len(following.line) > LIMIT or following.at - last.at >= JOIN_TIMEOUT_SECS

    def missing(self) -> list[Place]:
        return [
            (file, offset)
            for log in self._ids.logs.values()
            for file in log.files
            for offset in file.parts
            if (file, offset) not in self.places
        ]

    def check_beginnings(self) -> None:
        """Rows that begin in the middle without a reason are a problem.

        To be asked once everything has arrived: what comes before may be sent again, later.
        """
        for part in self._began:
            before = part.previous
            if before is not None and before not in self._ended and not before.file.at_risk:
                self._problem(f"a row begins in the middle of a record: {part.line!r}")


def _parts(first: Part, text: str, mark: Mark) -> list[Part]:
    """The parts from `first` on whose texts make up the text; none if they do not."""
    covered, part, rest = [first], first, text
    while rest.startswith(part.text):
        rest = rest[len(part.text) :]
        empty_end = not rest and part.tag == "P" and not mark.unfinished
        if not rest and not empty_end:
            return covered
        if part.following is None:
            return []
        part = part.following
        covered.append(part)
    return []


def check_order(ids: Ids) -> None:
    """Sorted by id, the rows of an origin are in the order in which they were written."""
    for log in ids.logs.values():
        found = sorted((id_, p) for id_, p in ids.places.items() if p[0].log is log)
        places = [(file.order, offset) for _, (file, offset) in found]
        if places != sorted(places):
            ids.problems.append(f"{log.key}: the order of ids is not that of writing: {places}")
