"""Sees files grow: looks at those in use, has the kernel tell about those at rest.

A file in use is looked at with fstat every 50 to 840 ms: the more rarely, the less it says, so that
a look finds enough to be worth a batch. inotify events for every write would cost ten times as much
(49 us a write). A file at rest (quiet for `REST_SECS`, all of it settled) is left to the kernel
(`rest`), whose one notice makes it a file in use again: silent files cost a look twice a minute.
A quiet file that cannot be left to the kernel is looked at every second.

New and renamed files are seen by the source's watch (`rouse`); as a backup each origin's directory
entry is compared with the file that is open: once a second while it is quiet, at rest every time.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from logship.tail.follow import Follower
from logship.tail.rest import AtRest, may_rest
from logship.world import Clock, Disk
from logship.world.notices import Inotify, Notices

BUSY_SECS = 0.05
GATHER_SECS = 0.84
"""The longest that rows of a file in use wait until somebody looks."""
RISE_SECS = GATHER_SECS / 4
"""Of a file that was quiet: it usually says little, and one that says much is soon found out."""
WORTH_BYTES = 16 * 1024
"""What a look should find: with less, looking and making a batch cost more than its rows."""
IDLE_SECS = 1.0
REST_SECS = 5.0
BACKUP_SECS = 30.0
"""Between looks at a file at rest, in case a notice was lost."""
_TOGETHER_SECS = 0.001


@dataclass(eq=False, slots=True)
class _Pace:
    """When one follower is looked at."""

    follower: Follower
    interval: float
    changed_at: float
    phase: int
    """Slow looks are spread over time."""
    looked_at: float = float("-inf")
    """When its directory was compared."""
    due_at: float = 0.0


class Pulse:
    def __init__(
        self, clock: Clock, disk: Disk, open_notices: Callable[[], Notices] = Inotify
    ) -> None:
        self._clock, self._disk, self._open_notices = clock, disk, open_notices
        self._paces: dict[Follower, _Pace] = {}
        self._due: dict[float, list[_Pace]] = {}
        """By time; times are multiples of intervals, so that many share one waking."""
        self._times: list[float] = []
        self._phases = count()
        self._woken = asyncio.Event()
        self._rest: AtRest | None = None

    def add(self, follower: Follower) -> None:
        now = self._clock.now()
        phase = next(self._phases) % int(BACKUP_SECS)
        pace = self._paces[follower] = _Pace(follower, BUSY_SECS, now, phase)
        self._schedule(pace, now)

    def remove(self, follower: Follower) -> None:
        self._paces.pop(follower, None)
        if self._rest is not None:
            self._rest.end(follower)

    def rouse(self, follower: Follower, interval: float = BUSY_SECS) -> None:
        """Something happened to its files: look at it soon, and often."""
        pace = self._paces.get(follower)
        if pace is None:
            return
        if self._rest is not None:
            self._rest.end(follower)
        now = self._clock.now()
        pace.changed_at, pace.interval = now, interval
        self._schedule(pace, now)

    async def run(self) -> None:
        """Until cancelled."""
        try:
            self._rest = AtRest(self._open_notices(), self._woken.set)
        except OSError:
            self._rest = None  # every file is looked at
        try:
            while True:
                await self._wait()
                for follower in self._rest.roused() if self._rest else ():
                    self.rouse(follower, RISE_SECS)
                    self._beat(self._paces[follower])
                self._beat_due(self._clock.now() + _TOGETHER_SECS)
        finally:
            if self._rest is not None:
                self._rest.close()
                self._rest = None

    async def _wait(self) -> None:
        """Until the next look is due, or something happened."""
        self._woken.clear()
        wait = self._times[0] - self._clock.now() if self._times else None
        # Not wait_for: in Python 3.11 it swallows a cancellation that meets the event.
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._woken.wait()

    def _schedule(self, pace: _Pace, now: float) -> None:
        interval = pace.interval
        phase = pace.phase if interval > IDLE_SECS else 0
        at = ((now + _TOGETHER_SECS - phase) // interval + 1) * interval + phase
        pace.due_at = at
        due = self._due.get(at)
        if due is None:
            due = self._due[at] = []
            heappush(self._times, at)
            self._woken.set()
        due.append(pace)

    def _beat_due(self, until: float) -> None:
        while self._times and self._times[0] <= until:
            at = heappop(self._times)
            for pace in self._due.pop(at):
                if pace.due_at == at and pace.follower in self._paces:
                    self._beat(pace)

    def _beat(self, pace: _Pace) -> None:
        follower, now = pace.follower, self._clock.now()
        logs, grown = follower.generations, False
        before = logs[-1].size if logs else 0
        try:
            grown = follower.poll()
            if not grown and now - pace.looked_at >= IDLE_SECS:
                pace.looked_at = now
                grown = look(follower, self._disk)
        except OSError as error:
            follower.complain(error)
        wake(follower, grown)
        size = logs[-1].size - before if logs else 0  # of the file that grows, about
        self._pace(pace, grown, size, now)
        self._schedule(pace, now)

    def _pace(self, pace: _Pace, grown: bool, size: int, now: float) -> None:
        """How long until the next look. `size`: bytes it has grown by, about."""
        if grown:
            if self._rest is not None:
                self._rest.missed(pace.follower)
            pace.changed_at = now
            if pace.interval > GATHER_SECS:
                pace.interval = RISE_SECS if size < WORTH_BYTES else BUSY_SECS
            elif size < WORTH_BYTES:
                pace.interval = min(pace.interval * 2, GATHER_SECS)
            elif size >= 2 * WORTH_BYTES:
                pace.interval = max(pace.interval / 2, BUSY_SECS)
        elif now - pace.changed_at < REST_SECS:
            pace.interval = min(pace.interval * 2, GATHER_SECS)
        else:
            pace.interval = BACKUP_SECS if self._rests(pace.follower) else IDLE_SECS

    def _rests(self, follower: Follower) -> bool:
        """Whether the kernel tells when it is touched."""
        if self._rest is None:
            return False
        if self._rest.holds(follower):
            return True
        if not may_rest(follower) or not self._rest.begin(follower):
            return False
        try:
            if follower.poll() or look(follower, self._disk):  # before the kernel watched it
                self._rest.end(follower)
                wake(follower, True)
                return False
        except OSError as error:
            follower.complain(error)
        return True


def look(follower: Follower, disk: Disk) -> bool:
    """Look at the directory if its files are not those that are open; whether there are more."""
    stat = disk.stat(f"{follower.log.directory}/{follower.log.name}")
    live = next((log.inode for log in follower.generations if log.live), None)
    there = (stat.device, stat.inode) if stat else None
    changed = live != there and not (there and follower.opening.waits_for(there))
    changed = changed or follower.directory.closed.any_grown(disk, follower.log.directory)
    directory = disk.stat(follower.log.directory)
    if not changed and directory and directory.mtime_ns == follower.directory.mtime_ns:
        return False
    before = len(follower.generations)
    follower.refresh()
    return len(follower.generations) > before


def wake(follower: Follower, grown: bool) -> None:
    for feed in follower.feeds:
        if grown or feed.due():
            feed.on_ready()
