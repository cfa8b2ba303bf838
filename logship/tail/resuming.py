"""Where a feed goes on: the generation of its saved position, or what follows it.

Not at once: a file that is renamed or compressed while one looks may be overlooked. A generation
that stays away is gone, and what was known to follow the position says how much was lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from logship.rows.address import Generation, Position
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration
from logship.tail.last_row import LastRow
from logship.tail.loss import NOTHING_KNOWN, Following, Loss
from logship.world import Clock

MISSED_SECS = 2.0
"""How long a saved generation is searched before it counts as gone."""


@dataclass(frozen=True, slots=True)
class Found:
    log: LogGeneration | None
    """None: there is nothing to read, now or (if something was lost) ever."""
    offset: int = 0
    lost: Loss | None = None


class Resuming:
    def __init__(self, follower: Follower, clock: Clock, following: Following) -> None:
        self._follower, self._clock = follower, clock
        self.following = following
        """What was known when the position was saved."""
        self._missed_at: float | None = None
        """Since when the generation cannot be found."""

    @property
    def searching(self) -> bool:
        """Whether the generation may still be found, or what follows it."""
        at = self._missed_at
        return at is not None and self._clock.now() - at < MISSED_SECS

    def find(self, position: Position) -> Found:
        log, now = self._follower.find(position.generation), self._clock.now()
        if log is None:
            self._follower.refresh()
            log = self._follower.find(position.generation)
        if log is not None:
            return Found(log, position.offset)
        if self._missed_at is None:
            self._missed_at = now
        if now - self._missed_at < MISSED_SECS:
            return Found(None)
        later = self._follower.generations.after(position.generation)
        if later is not None:
            return Found(later, 0, self.following.loss(later.generation))
        return Found(None, 0, self._all() if self._follower.retired else None)

    def _all(self) -> Loss | None:
        """Nothing follows, and nothing ever will."""
        known, self.following = self.following, NOTHING_KNOWN
        return known.loss(None) if known.unsettled else None


class Ahead:
    """What is known to follow the position of a feed: kept until either changes."""

    def __init__(
        self, follower: Follower, last_row: LastRow, position: Position | None, following: Following
    ) -> None:
        self._follower, self._last_row = follower, last_row
        self._stood = (position, -1)
        self._known = (self._stood, following)

    def moved(self, at: Position | None) -> bool:
        """Whether it stands elsewhere, or more is known to follow, than when last asked."""
        stood, self._stood = self._stood, (at, self._follower.version)
        return stood != self._stood

    def following(
        self, at: Position | None, unsettled: Callable[[], Mapping[Generation, int]]
    ) -> Following:
        key, follower = (at, self._follower.version), self._follower
        if self._known[0] != key and at is not None and follower.find(at.generation):
            known = look_ahead(follower, at.generation, unsettled, self._last_row.ns)
            self._known = key, known
        return self._known[1]


def look_ahead(
    follower: Follower,
    first: Generation,
    unsettled: Callable[[], Mapping[Generation, int]],
    settled_ns: int,
) -> Following:
    """What is known to follow a position in the generation `first`."""
    logs = follower.generations.since(first)
    ended = [follower.ended(log) for log in logs]  # first: it looks at their sizes
    sizes, before, final, later = unsettled(), 0, True, []
    for log, log_ended, then in zip(logs, ended, logs[1:], strict=False):
        before += sizes.get(log.generation, 0)
        final = final and log_ended
        later.append((then.generation, before, final))
    namespace = follower.origin.labels.get("namespace")
    return Following(settled_ns, sum(sizes.values()), tuple(later), namespace)
