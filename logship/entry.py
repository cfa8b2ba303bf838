"""An origin in the catalog, and what reads it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from logship.api import LogFile, OpenFeed
from logship.journal import Key
from logship.origin import Origin, Wish
from logship.rebinding import Ended
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
    rematched_ns: int | None = None
    """When it was matched again, because the routes had changed; wall clock."""
    retired: bool = False
    closed: bool = False
    """No route takes it, and none of its files is open."""
    orphan: bool = False
    """Its source is gone from the configuration; one that is new may name it."""
    gone: bool = False
    """It is not in the catalog any more."""
    bindings: dict[str, Binding] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    """By route, as `bindings`: under which positions are saved."""
    ended: dict[str, Ended] = field(default_factory=dict)
    """By route: bindings that others go on for, as long as those have not begun."""
    said: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    """Where trouble with its files is said."""
    version: int = -1
    """Of the follower, when it was last asked where its feeds stand."""

    @property
    def finished(self) -> bool:
        """Whether everything of it is settled, if nothing is added to it."""
        if any(binding.owes for binding in self.bindings.values()):
            return False
        feeds = [binding.feed for binding in self.bindings.values()]
        return all(f.exhausted and f.settled for f in feeds if isinstance(f, DiskFeed))

    def let_go_of_ended(self) -> None:
        """Nobody goes on where these bindings ended, or they read by now."""
        for one in self.ended.values():
            one.feed.close()
        self.ended.clear()

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
