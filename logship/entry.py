"""An origin in the catalog, and what reads it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from logship.api import LogFile, OpenFeed
from logship.journal import Key
from logship.origin import Origin, Wish
from logship.routes.binding import Binding
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower


@dataclass(eq=False, slots=True)
class Entry:
    origin: Origin
    log: LogFile | OpenFeed
    source: str
    follower: Follower | None
    seen_at: float
    was_there: bool
    """Whether it was there when its source started: `start_from` rules it."""
    decided: bool = False
    """Whether it is known which routes it goes to, if any."""
    wish: Wish | None = None
    """What its metadata asked for when it was bound; it holds as long as it is followed."""
    retired: bool = False
    bindings: dict[str, Binding] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    """By route, as `bindings`: under which positions are saved."""
    version: int = -1
    """Of the follower, when it was last asked where its feeds stand."""

    @property
    def finished(self) -> bool:
        """Whether everything of it is settled, if nothing is added to it."""
        if any(binding.owes for binding in self.bindings.values()):
            return False
        feeds = [binding.feed for binding in self.bindings.values()]
        return all(f.exhausted and f.settled for f in feeds if isinstance(f, DiskFeed))

    def moved(self, *, everything: bool) -> Iterator[tuple[Key, DiskFeed]]:
        """Feeds that stand elsewhere than when last asked, or of which more is known; or all."""
        if (follower := self.follower) is None:
            return
        every = everything or self.version != follower.version
        self.version = follower.version
        for name, binding in self.bindings.items():
            if not (every or binding.stirred):
                continue  # all entries are asked: most end here, without a call
            binding.stirred, feed = False, binding.feed
            if isinstance(feed, DiskFeed) and (feed.moved() or everything):
                yield self.keys[name], feed
