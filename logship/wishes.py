"""What the metadata of origins asks for, and what is wrong with it.

A wish holds from the moment an origin is bound; its pace alone follows later changes. Whatever is
wrong is told to three people: in the agent's log and `/status` to who runs it, in a metric to who
is paged, and in the log of the container itself (`notice`) to the developer who wrote it, at most
once an hour for each pod and problem. Nothing here can keep a log from being shipped, and
all that is remembered has a bound.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from logship.entry import Entry
from logship.notice import notice
from logship.origin import NO_WISH, LogFile, Problem, Wish
from logship.routes.binding import Binding
from logship.said import shown
from logship.world import Clock

METADATA_GRACE_SECS = 15.0
"""How long an origin waits for its metadata though it could be read: its files are held open."""
NOTICE_SECS = 3600
MAX_TOLD = 2000
MAX_SHOWN = 50
MAX_LOGGED = 20
_MAX_VALUE_CHARS = 200
_NS = 1_000_000_000

Key = tuple[str, str, str]
"""The uid of a pod, the annotation, its value."""


@dataclass(frozen=True, slots=True)
class Told:
    """A problem of a container."""

    namespace: str
    pod: str
    container: str
    problem: Problem
    at_ns: int

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready."""
        problem = self.problem
        return {
            "namespace": self.namespace,
            "pod": self.pod,
            "container": self.container,
            "annotation": problem.annotation,
            "value": _short(problem.value),
            "reason": problem.reason,
            "advice": problem.advice,
            "age_secs": max(0.0, (now_ns - self.at_ns) / _NS),
        }


class Wishes:
    def __init__(self, clock: Clock, logger: logging.Logger) -> None:
        self._clock, self._log = clock, logger
        self._told_at: dict[Key, int] = {}
        self._logged = 0
        self.counts: Counter[str] = Counter()
        """Problems by reason, each time one was told."""
        self.latest: deque[Told] = deque(maxlen=MAX_SHOWN)

    def of(self, entry: Entry) -> Wish | None:
        """What holds for the origin; None: that cannot be told yet, but will be."""
        return entry.wish if entry.wish is not None else self.asked(entry)

    def asked(self, entry: Entry) -> Wish | None:
        """What its metadata asks for now; None: that is not known yet."""
        log, labels = entry.log, entry.origin.labels
        if not isinstance(log, LogFile) or log.wish is None:
            return NO_WISH
        if not labels.known and self._clock.now() - entry.seen_at < METADATA_GRACE_SECS:
            return None
        try:
            return log.wish(labels)
        except Exception as error:  # what pods' owners write must not keep a log from being read
            self._log.error("a bug in reading the annotations of %s", entry.origin.key,
                            exc_info=error)  # fmt: skip
            return NO_WISH

    def hold(self, entry: Entry, wish: Wish) -> None:
        """From here on it holds, as long as the origin is followed.

        What has been cut in one way must not come again in another: ids would no longer agree.
        """
        entry.wish, follower = wish, entry.follower
        if follower is not None and wish.cutting is not None:
            follower.log = replace(follower.log, cutting=wish.cutting)

    def pace(self, entry: Entry, wish: Wish) -> None:
        """Read it as fast as it asks for, from now on."""
        for binding in entry.bindings.values():
            binding.pace(wish.max_bytes_per_sec)

    def tell(self, entry: Entry, problems: Iterable[Problem]) -> None:
        """Say what is wrong with the annotations of an origin that is bound."""
        for problem in problems:
            if self._is_news(entry, problem):
                self._tell(entry, problem)

    def _is_news(self, entry: Entry, problem: Problem) -> bool:
        """Whether it was not told in the last hour."""
        key, now = _key(entry, problem), self._clock.wall_ns()
        before = self._told_at.pop(key, None)
        if before is not None and now - before < NOTICE_SECS * _NS:
            self._told_at[key] = before
            return False
        while len(self._told_at) >= MAX_TOLD:
            self._told_at.pop(next(iter(self._told_at)))
        self._told_at[key] = now
        return True

    def _tell(self, entry: Entry, problem: Problem) -> None:
        labels, now = entry.origin.labels, self._clock.wall_ns()
        self.counts[problem.reason] += 1
        place = (labels.get("namespace"), labels.get("pod"), labels.get("container"))
        self.latest.append(Told(*place, problem, now))
        if self._logged < MAX_LOGGED:
            self._logged += 1
            self._log.warning(
                "a pod's annotation is ignored: %s=%r of %s: %s", problem.annotation,
                _short(problem.value), "/".join(place), problem.advice,
            )  # fmt: skip
        message = (
            f"logship: annotation {problem.annotation} of this pod is "
            f"`{_short(problem.value)}`: {problem.advice}; it is ignored"
        )
        about = f"{problem.annotation}\n{problem.value}"
        for binding in _streams(entry):
            row = notice(entry.origin, "annotation", about, message, _time_ns(entry, now))
            binding.tell(row)

    def as_dict(self, now_ns: int) -> dict[str, object]:
        """JSON-ready: how many were told, and the latest."""
        return {
            "count": self.counts.total(),
            "latest": [told.as_dict(now_ns) for told in reversed(self.latest)],
        }


def _key(entry: Entry, problem: Problem) -> Key:
    """Containers of a pod and their restarts are origins of their own, with the same annotations.

    One for a single container has its name in the annotation's.
    """
    return entry.origin.labels.get("uid"), problem.annotation, problem.value


def _streams(entry: Entry) -> list[Binding]:
    """Who takes the rows of the origin that no condition chooses; else the last that takes any."""
    bindings = list(entry.bindings.values())
    return [b for b in bindings if b.selection.own is None] or bindings[-1:]


def _time_ns(entry: Entry, now: int) -> int:
    """The hour's beginning, or that of the log if it is later: the same if it is told again."""
    hour = now - now % (NOTICE_SECS * _NS)
    log = entry.follower.generations.first() if entry.follower is not None else None
    begins = log.generation.time_ns if log is not None else hour
    return begins if hour < begins <= now else hour


def _short(value: str) -> str:
    return shown(value[:_MAX_VALUE_CHARS])
