"""A container on the node: the runtime writes its log, the kubelet rotates, compresses, deletes.

Rotation is a generator of small steps, each one change of the directory; it says how long it is
until the next, so that anything may happen between two of them.
"""

import gzip
import random
from collections.abc import Callable, Iterator

from logship.origin import Origin
from logship.rows.address import time_text
from logship.testing import origin_of
from tests.simulation.files import LOGS, Files, Node
from tests.simulation.loop import Time
from tests.simulation.scenario import Burst
from tests.simulation.storm import text_of
from tests.simulation.truth import Record, Truth, WrittenFile

KEPT_ROTATED = 3
"""containerLogMaxFiles is 5: the live one, and before a rotation at most three others."""


FLUSH_SECS = 0.9
"""How long after a reopen something may still reach the old file."""


class Container:
    def __init__(
        self,
        number: int,
        truth: Truth,
        files: Files,
        time: Time,
        chance: random.Random,
        held: Callable[[Node], bool],
    ) -> None:
        self.number = number
        self.origin: Origin = origin_of(f"web-{number}")
        self.directory = f"{LOGS}/shop_web-{number}_uid/app"
        self._truth, self._files, self._time, self._chance = truth, files, time, chance
        self._held = held
        self.poison: tuple[float, list[str]] = (0.0, [])
        """How likely a row is refused, and by which sinks."""
        self.severities: random.Random | None = None
        """Of a run with a route that may shed: rows say how severe they are."""
        self._count = self._rotations = 0
        self._in_hand: list[bytes] = []
        """Of the runtime: these bytes are not in the file yet."""
        self._unwritten: list[Record] = []
        """Whole but for what is in hand."""
        self._open: Record | None = None
        self._late: tuple[WrittenFile, bytes, list[Record]] | None = None
        """What the runtime still had in hand for the old file when it had made the new one."""
        self.rotating = False
        self.removed = False
        self._log: list[WrittenFile] = []
        truth.logs[self.origin.key] = self._log
        files.make_dir(self.directory)
        self._reopen()

    @property
    def live(self) -> str:
        return f"{self.directory}/0.log"

    @property
    def current(self) -> WrittenFile:
        return self._log[-1]

    def write(self, burst: Burst) -> None:
        self._flush()
        for _ in range(burst.rows):
            self._row(burst.size, self._chance.random() < burst.partial)
        if burst.cut == "open record" and self._open is None:
            self._open = self._begin("first half ", "P")
        if burst.cut == "half a line" and self._in_hand:
            last = self._in_hand.pop()
            cut = self._chance.randrange(len(last))
            self._in_hand.append(last[:cut])
            self._flush(done=False)
            self._in_hand = [last[cut:]]
            return
        self._flush()

    def hesitation(self) -> float:
        return 2.0 * self._chance.random()

    def finish(self) -> None:
        """What the last burst left undone."""
        if self.removed:
            return
        self._flush()
        if self._open is not None:
            record, self._open = self._open, None
            self._go_on(record, "and the rest", "F")
        self._flush()

    def _row(self, size: int, partial: bool) -> None:
        text = self._text(size)
        if not partial or self._open is not None:
            self._begin(text, "F")
            return
        cut = self._chance.randrange(len(text))
        record = self._begin(text[:cut], "P")
        if self._chance.random() < 0.5:
            self._begin(self._text(5), "F", _other(record.stream))
        self._go_on(record, text[cut:], "F")

    def _text(self, size: int) -> str:
        chance, (poison, sinks) = self._chance, self.poison
        word = "drop" if chance.random() < 0.1 else "row"
        if chance.random() < poison:
            word += f" poison-{chance.choice(sinks)}"
        words = f"{self._count} {word} {'x' * size}"
        return words if self.severities is None else text_of(self.severities, self._count, words)

    def _begin(self, text: str, tag: str, stream: str = "") -> Record:
        stream = stream or self._chance.choice(("stdout", "stdout", "stderr"))
        if self._open is not None:  # rows of the other stream pass it
            stream = _other(self._open.stream)
        line, ns = self._line(text, tag, stream)
        file, offset = self._put(line, ns)
        record = Record(file.id_at(offset), offset, time_text(ns), stream, [file], text)
        file.records.append(record)
        self._truth.records[record.id] = record
        if tag == "F":
            self._unwritten.append(record)
        return record

    def _go_on(self, record: Record, text: str, tag: str) -> None:
        file, offset = self._put(*self._line(text, tag, record.stream))
        record.text += text
        self._truth.goes_on(record, file, offset)
        self._unwritten.append(record)

    def _line(self, text: str, tag: str, stream: str) -> tuple[bytes, int]:
        self._count += 1
        ns = self._files.tick()
        return f"{time_text(ns)} {stream} {tag} {text}\n".encode(), ns

    def _put(self, line: bytes, ns: int) -> tuple[WrittenFile, int]:
        file = self.current
        if not file.size:
            file.name(ns, line)
        offset, file.size = file.size, file.size + len(line)
        self._in_hand.append(line)
        return file, offset

    def _flush(self, *, done: bool = True) -> None:
        content = b"".join(self._in_hand)
        self._in_hand = []
        if content:
            self._files.write(self.current.nodes[0], content)
        if done:
            for record in self._unwritten:
                record.at = self._time.now
            self._unwritten = []

    # The kubelet

    def rotation(self, reopen_secs: float) -> Iterator[float]:
        """Seconds until each next step."""
        if self.rotating or self.removed or not self.current.size:
            return
        self.rotating = True
        rotated = [file for file in self._log[:-1] if file.exists]
        for file in rotated[: max(0, len(rotated) - KEPT_ROTATED)]:
            self._delete(file)
            yield self._moment()
        for file in rotated:
            if file.exists and not file.compressed:
                yield from self._compress(file)
        self._rotations += 1
        self._move(self.current, f"{self.live}.20261123-{self._rotations:06d}")
        yield reopen_secs
        if self._chance.random() < 0.3:
            self._row(30, False)
        self._late = self.current, b"".join(self._in_hand), self._unwritten
        self._in_hand, self._unwritten = [], []
        self._reopen()
        yield FLUSH_SECS * self._chance.random()
        self._flush_late()
        self.rotating = False

    def _flush_late(self) -> None:
        if self._late is None:
            return
        file, content, records = self._late
        self._late = None
        if content:
            self._files.write(file.nodes[0], content)
        for record in records:
            record.at = self._time.now

    def _moment(self) -> float:
        return self._chance.choice((0.0, 0.00001, 0.001, 0.05))

    def _compress(self, file: WrittenFile) -> Iterator[float]:
        plain = file.path
        content = gzip.compress(bytes(file.nodes[0].content), 1, mtime=0)
        copy = self._files.create(f"{plain}.tmp", content)
        yield self._moment()
        self._files.rename(f"{plain}.tmp", f"{plain}.gz")
        file.nodes.append(copy)
        file.path, file.compressed = f"{plain}.gz", True
        yield self._moment()
        self._files.unlink(plain)
        yield self._moment()

    def _move(self, file: WrittenFile, target: str) -> None:
        self._files.rename(file.path, target)
        file.path = target

    def _reopen(self) -> None:
        file = WrittenFile(self.origin.key, self.live, [self._files.create(self.live)])
        self._log.append(file)

    def _delete(self, file: WrittenFile) -> None:
        for name, node in list(self._files.directories[self.directory].items()):
            if node in file.nodes:
                self._files.unlink(f"{self.directory}/{name}")
        file.at_risk = file.at_risk or not any(map(self._held, file.nodes))

    def remove(self) -> None:
        """Its pod is deleted, and its logs with it."""
        self._flush_late()
        self.finish()
        self.removed = True
        for file in self._log:
            if file.exists:
                self._delete(file)
        for name in list(self._files.directories[self.directory]):
            self._files.unlink(f"{self.directory}/{name}")
        self._files.remove_dir(self.directory)


def _other(stream: str) -> str:
    return "stderr" if stream == "stdout" else "stdout"
