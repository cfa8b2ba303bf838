"""Which generation a file is whose first line has no time.

Such a file is named by its birth and the digest of its first line. Neither is enough: a compressed
or copied file has another birth, a truncated one has the same, and headers make first lines equal.
So a name, once given, is remembered, with what is known of the file; and at the start of an agent
the saved positions say which names were given before. Rules, the first that fits:

- A file that was named is the same file again: by device, inode and birth, never the inode alone.
- A compressed file is a copy of the one that begins with the same line and has its size, and, if
  the line is also that of the live file (a header), its time. A plain one is a copy of the live one
  if it repeats its first bytes, or of one that has been truncated since (`copytruncate`), whether
  somebody has noticed that or not. It may lack what was written between copying and truncating.
- The live file goes on where a position was saved if its first line is the same, and the place is
  there and follows a newline. Otherwise it is a new generation: of the time of its birth, or one
  nanosecond after the generation before it, so that a truncated file gets the same new name
  before and after a crash of the agent.
- A rotated file has the name of the saved position if birth and first line say so; a compressed or
  copied one if its first line is not also that of the live file (a header) and the place fits.

Where a rule errs, rows are sent again under other ids rather than left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from logship.rows.address import Generation, Position
from logship.tail.generation import LogGeneration

_TRUNCATIONS_NS = 1_000_000
"""So many truncations of one file are told from another birth."""
_MAX_NAMED = 256
_SAME_TIME_NS = 1_000_000_000
"""gzip(1) and logrotate give a compressed file the time of the original."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A file, as it was opened."""

    inode: tuple[int, int]
    birth_ns: int
    mtime_ns: int
    size: int
    """Uncompressed, as far as it is known."""
    digest: int
    live: bool
    compressed: bool


class Content(Protocol):
    """What can be asked of the open file."""

    def continues(self, offset: int) -> bool:
        """Whether a row may begin at this offset."""
        ...

    def now(self, other: LogGeneration) -> tuple[int, int]:
        """Size and mtime (ns) of another file."""
        ...

    def repeats(self, other: LogGeneration) -> bool:
        """Whether it has nothing but the first bytes of the other, as far as one looks; or did,
        before the other was truncated a moment ago.
        """
        ...


@dataclass(eq=False, slots=True)
class Naming:
    """Of one origin."""

    saved: list[Position] = field(default_factory=list)
    """Where routes stood when the agent started, in generations that were not found yet."""
    _named: list[tuple[Sight, LogGeneration]] = field(default_factory=list)
    """In the order in which they were named."""
    _again: dict[tuple[tuple[int, int], int], Generation] = field(default_factory=dict)
    """By inode and birth."""
    _live: Generation | None = None
    """The last live file."""
    _newest_ns: int = -1
    """The time of the last generation that is known to have been before the live one."""

    def expect(self, positions: Iterable[Position]) -> None:
        """Call before the first look."""
        self.saved = sorted(positions, reverse=True)
        self._newest_ns = max((p.generation.time_ns for p in self.saved), default=-1)

    def name(self, seen: Sight, content: Content) -> Generation:
        again = self._again.get((seen.inode, seen.birth_ns)) if seen.birth_ns else None
        if again is not None and again.digest == seen.digest:
            return again
        if seen.live:
            found = self._of_live(seen, content)
            self._live, self._newest_ns = found, max(self._newest_ns, found.time_ns)
        else:
            found = self._copied(seen, content) or self._of_rotated(seen, content)
        self.saved = [position for position in self.saved if position.generation != found]
        return found

    def note(self, seen: Sight, log: LogGeneration) -> None:
        """This is what the file is called; `log` goes on telling its size."""
        if not any(other.generation == log.generation for _, other in self._named):
            self._named.append((seen, log))
            del self._named[:-_MAX_NAMED]
        self._again[seen.inode, seen.birth_ns] = log.generation
        if len(self._again) > _MAX_NAMED:
            del self._again[next(iter(self._again))]

    def truncated(self, inode: tuple[int, int]) -> None:
        """What the file contains from now on is another generation."""
        self._again = {key: name for key, name in self._again.items() if key[0] != inode}

    def _of_live(self, seen: Sight, content: Content) -> Generation:
        if self._live is None:
            for position in self.saved:
                if position.generation.time_ns >= seen.birth_ns and _at(position, seen, content):
                    return position.generation
        return Generation(max(seen.birth_ns, self._newest_ns + 1), seen.digest)

    def _copied(self, seen: Sight, content: Content) -> Generation | None:
        """The generation of which this file is a copy."""
        same = [
            log for other, log in reversed(self._named)
            if log.generation.digest == seen.digest and other.birth_ns <= seen.birth_ns
        ]  # fmt: skip
        header = self._is_header(seen)
        return next((log.generation for log in same if _copies(seen, log, content, header)), None)

    def _is_header(self, seen: Sight) -> bool:
        """Whether its first line does not tell it from the live file."""
        return self._live is not None and self._live.digest == seen.digest

    def _of_rotated(self, seen: Sight, content: Content) -> Generation:
        for position in self.saved:
            age = position.generation.time_ns - seen.birth_ns
            own = not seen.compressed and 0 <= age < _TRUNCATIONS_NS
            if (own or (age < 0 and not self._is_header(seen))) and _at(position, seen, content):
                return position.generation
        time_ns = min(seen.birth_ns, seen.mtime_ns) if seen.compressed else seen.birth_ns
        while any(log.generation == (time_ns, seen.digest) for _, log in self._named):
            time_ns += 1  # another file, made by a file system that knows no birth
        return Generation(time_ns, seen.digest)


def _copies(seen: Sight, log: LogGeneration, content: Content, header: bool) -> bool:
    if log.wants_copy:
        return seen.size >= log.truncated_from or (log.fd >= 0 and not seen.compressed)
    size, mtime_ns = content.now(log)
    if not seen.compressed:
        return (log.live or size == seen.size) and content.repeats(log)
    if log.compressed or log.live or size % 2**32 != seen.size:
        return False
    return not header or abs(mtime_ns - seen.mtime_ns) < _SAME_TIME_NS


def _at(position: Position, seen: Sight, content: Content) -> bool:
    """Whether the position can be in this file."""
    same = position.generation.digest == seen.digest and position.offset <= seen.size
    return same and content.continues(position.offset)
