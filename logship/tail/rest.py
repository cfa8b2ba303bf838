"""Files at rest: the kernel tells when one is touched, once.

At rest is what has nothing left to do: one live generation, all of it read and settled, so that
only something that happens to the file (a write, a rename, an unlink) can make work. A file that is
found to have grown although nobody told counts against its device; a device that was silent so
`BLIND_STRIKES` times in a row is not believed any more.
"""

from collections import Counter
from collections.abc import Callable, Iterable

from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.world.notices import Notices

BLIND_STRIKES = 3
"""More than once: the kernel shows the size a moment before it tells."""


def may_rest(follower: Follower) -> bool:
    """Whether only something that happens to its file could make work."""
    logs = follower.generations
    if follower.retired or follower.directory.mtime_ns == 0 or len(logs) != 1 or not logs[0].live:
        return False
    return bool(follower.feeds) and all(map(_has_all, follower.feeds))


def _has_all(feed: object) -> bool:
    """Whether a feed has read and settled everything, and no record is open."""
    return isinstance(feed, DiskFeed) and feed.settled and not feed.waiting() and not feed.due()


class AtRest:
    """Followers whose files the kernel watches."""

    def __init__(self, notices: Notices, on_notice: Callable[[], None]) -> None:
        self._notices = notices
        notices.start(on_notice)
        self._numbers: dict[Follower, int] = {}
        self._followers: dict[int, tuple[Follower, ...]] = {}
        """By number: several origins can have the same file."""
        self._told: set[int] = set()
        """Numbers of notices that were taken and not passed on."""
        self._all = False
        """Notices were lost: any file may have been touched."""
        self._strikes: Counter[int] = Counter()
        """By device, since it last told of anything."""

    def holds(self, follower: Follower) -> bool:
        return follower in self._numbers

    def begin(self, follower: Follower) -> bool:
        """Whether the kernel watches its file from now on. Look at it once more after this."""
        log = follower.generations[0]
        if self._strikes[_device(follower)] >= BLIND_STRIKES:
            return False
        number = self._notices.watch(log.fd)
        if number is None:
            return False
        self._numbers[follower] = number
        self._followers[number] = (*self._followers.get(number, ()), follower)
        return True

    def end(self, follower: Follower) -> None:
        """It is looked at again, or gone."""
        number = self._numbers.pop(follower, None)
        if number is None:
            return
        sharing = tuple(one for one in self._followers[number] if one is not follower)
        self._followers[number] = sharing
        if not sharing:
            del self._followers[number]
            self._notices.unwatch(number)

    def roused(self) -> Iterable[Follower]:
        """Those whose files were touched; they are not at rest any more."""
        self._drain()
        numbers, self._told = (self._followers.keys() if self._all else self._told), set()
        self._all = False
        found = {follower for number in numbers for follower in self._followers.get(number, ())}
        for follower in found:
            self._strikes.pop(_device(follower), None)
            self.end(follower)
        return found

    def missed(self, follower: Follower) -> None:
        """It has grown: if it is at rest, nobody told, or not yet."""
        number = self._numbers.get(follower)
        if number is None:
            return
        self._drain()
        if number not in self._told and not self._all:
            self._strikes[_device(follower)] += 1
        self.end(follower)

    def _drain(self) -> None:
        numbers = self._notices.take()
        if numbers is None:
            self._all = True
        else:
            self._told.update(numbers)

    def close(self) -> None:
        self._notices.close()


def _device(follower: Follower) -> int:
    return follower.generations[-1].inode[0]
