"""The files of dead letters, seen from outside of the agent: read them, take lines out of them.

Taking out writes the segment anew beside the old one and renames it, under the lock that the agent
holds while it appends: no line is lost, whoever is killed when. What is no dead letter (a line that
a crash tore) stays where it is. One segment at a time is in memory.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from logship.delivery.deadletters import LOCK_NAME, SUFFIX
from logship.delivery.letter import Letter, decode
from logship.world import Disk

_MAX_SEGMENT_BYTES = 1 << 30


class Stored(NamedTuple):
    """A letter and the line it is written in."""

    letter: Letter
    line: bytes


@dataclass(slots=True)
class LetterFiles:
    directory: str
    disk: Disk
    damaged: int = field(default=0, init=False)
    """Lines seen so far that are no dead letters."""

    def segments(self) -> list[str]:
        """Their paths, the oldest first. Raises OSError."""
        names = sorted(entry.name for entry in self.disk.scan(self.directory))
        return [f"{self.directory}/{name}" for name in names if name.endswith(SUFFIX)]

    def read(self, segment: str) -> Iterator[Stored]:
        """The letters of a segment; none if it is gone. Raises OSError."""
        for line in self._lines(segment):
            if not line.endswith(b"\n"):
                continue  # being written, or torn
            try:
                yield Stored(decode(line), line)
            except ValueError:
                self.damaged += 1

    def each(self) -> Iterator[Stored]:
        """All letters, the oldest first. Raises OSError."""
        for segment in self.segments():
            yield from self.read(segment)

    def remove(self, segment: str, lines: Counter[bytes]) -> None:
        """Take these lines out. Raises BlockingIOError while another process writes; OSError."""
        lock = self.disk.lock(f"{self.directory}/{LOCK_NAME}")
        try:
            gone, kept = Counter(lines), []
            for line in self._lines(segment):
                if gone[line] > 0:
                    gone[line] -= 1
                else:
                    kept.append(line)
            if kept:
                self.disk.replace(segment, b"".join(kept))
            elif self.disk.stat(segment) is not None:
                self.disk.remove(segment)
        finally:
            self.disk.close(lock)

    def _lines(self, segment: str) -> list[bytes]:
        try:
            return self.disk.read_bytes(segment, _MAX_SEGMENT_BYTES).splitlines(keepends=True)
        except FileNotFoundError:
            return []
