"""Rows that were gone before they were read: a value, and how it is said.

Whatever cannot be delivered is a `Loss`: why, how many bytes of log at least, whether it was
exactly so many, and between which rows. It is counted by route, namespace and reason. The log says
the first few one by one and the rest of a storm in one line a minute.
"""

import logging
from dataclasses import dataclass
from enum import Enum

from logship.origin import Origin
from logship.rows.address import Generation, time_text
from logship.world import Clock

SAID_ONE_BY_ONE = 10
"""Losses that get a line of their own, in `WINDOW_SECS`."""
WINDOW_SECS = 60.0


class Reason(Enum):
    """Why bytes were lost: the name in `/status`. `said` is the text for the log."""

    GENERATION_GONE = "generation_gone"
    LOG_GONE = "log_gone"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    RELEASED_GONE = "released_gone"
    NEVER_OPENED = "never_opened"
    MAX_BYTES = "held_max_bytes"
    MAX_FILES = "held_max_files"
    DISK_FULL = "held_min_free"

    @property
    def said(self) -> str:
        return _SAID[self]


_SAID = {
    Reason.GENERATION_GONE: "the generation it stood in is gone",
    Reason.LOG_GONE: "the log was deleted while no agent ran",
    Reason.TRUNCATED: "the file was truncated",
    Reason.DAMAGED: "a compressed file is damaged",
    Reason.RELEASED_GONE: "what was released is gone",
    Reason.NEVER_OPENED: "a file was deleted before it could be opened",
    Reason.MAX_BYTES: "deleted files that were not read had more than held.max_bytes",
    Reason.MAX_FILES: "more deleted files were not read than held.max_files",
    Reason.DISK_FULL: "less of the disk was free than held.min_free_percent",
}


@dataclass(frozen=True, slots=True)
class Loss:
    reason: Reason
    bytes: int
    """Of log (uncompressed), at least. 0 if not `exact`: nobody knows how many."""
    exact: bool = False
    settled_ns: int = 0
    """The time of the last settled row before it; 0: not known."""
    found_ns: int = 0
    """The time of the first row that was found after it; 0: none yet."""

    @property
    def nothing(self) -> bool:
        return self.exact and self.bytes == 0

    def __str__(self) -> str:
        size = f"{self.bytes} bytes" if self.exact else f"{self.bytes} bytes at least"
        if not self.bytes:
            size = "nobody knows how many bytes"
        after = time_text(self.settled_ns) if self.settled_ns else "a time that is not known"
        before = time_text(self.found_ns) if self.found_ns else "what is written next"
        return f"({size}, from {after} to {before}): {self.reason.said}"


@dataclass(frozen=True, slots=True)
class Following:
    """What was known to follow a saved position: what is lost if its generation is gone."""

    settled_ns: int = 0
    """The time of the last row before the position; 0: nothing is known."""
    unsettled: int = 0
    """Bytes after the position, over all generations that were known."""
    later: tuple[tuple[Generation, int, bool], ...] = ()
    """Later generations: how many unsettled bytes lie before it, and whether that is final."""
    namespace: str = ""
    """Of the log, for when nobody can say it any more."""

    def loss(self, found: Generation | None) -> Loss:
        """What lies between the position and the generation where reading goes on, if it does."""
        size, exact = self.unsettled, False
        for generation, before, final in self.later:
            if generation == found:
                size, exact = before, final
        found_ns = found.time_ns if found else 0
        return Loss(Reason.GENERATION_GONE, size, exact, self.settled_ns, found_ns)


NOTHING_KNOWN = Following()


class LossLog:
    """Says losses, at most `SAID_ONE_BY_ONE` lines of them in `WINDOW_SECS`."""

    def __init__(self, clock: Clock, log: logging.Logger) -> None:
        self._clock, self._log = clock, log
        self._since = float("-inf")
        self._said = 0
        self._unsaid, self._unsaid_bytes = 0, 0

    def say(self, route: str, origin: Origin, loss: Loss) -> None:
        self.flush()
        if self._said >= SAID_ONE_BY_ONE:
            self._unsaid += 1
            self._unsaid_bytes += loss.bytes
            return
        self._said += 1
        self._log.warning("route %s lost rows of %s %s", route, named(origin), loss)

    def flush(self) -> None:
        """Sum up what was not said, once the time is over. To be called now and then."""
        now = self._clock.now()
        if now - self._since < WINDOW_SECS:
            return
        if self._unsaid:
            self._log.warning(
                "%d more losses, %d bytes at least: see `lost` in /status",
                self._unsaid, self._unsaid_bytes,
            )  # fmt: skip
        self._since, self._said = now, 0
        self._unsaid, self._unsaid_bytes = 0, 0


def named(origin: Origin) -> str:
    """As a person looks for it: `pod shop/web-0, container app (key)`, or the key alone."""
    labels = origin.labels
    pod = labels.get("pod")
    if not pod:
        return origin.key
    return (
        f"pod {labels.get('namespace')}/{pod}, container {labels.get('container')} ({origin.key})"
    )
