"""Sees files grow: fstat of followed files, every 50 ms for busy ones, backing off to 1 s.

This is the one poll we allow ourselves: inotify events for every write cost ten times as much
(49 us a write by watchdog). New and renamed files are seen by the source's watch; as a backup each
origin's directory entry is compared once a second with the file that is open.
"""

import asyncio
from heapq import heappop, heappush
from itertools import count

from logship.follow import Follower
from logship.world import Clock, Disk

BUSY_SECS = 0.05
IDLE_SECS = 1.0


class Pulse:
    def __init__(self, clock: Clock, disk: Disk) -> None:
        self._clock = clock
        self._disk = disk
        self._due: list[tuple[float, int, Follower]] = []
        self._order = count()
        self._intervals: dict[int, float] = {}
        self._added = asyncio.Event()

    def add(self, follower: Follower) -> None:
        self._intervals[id(follower)] = BUSY_SECS
        self._schedule(follower, BUSY_SECS)

    def remove(self, follower: Follower) -> None:
        self._intervals.pop(id(follower), None)

    def _schedule(self, follower: Follower, secs: float) -> None:
        heappush(self._due, (self._clock.now() + secs, next(self._order), follower))
        self._added.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._added.clear()
            wait = self._due[0][0] - self._clock.now() if self._due else None
            if wait is not None and wait <= 0:
                self._beat(heappop(self._due)[2])
            elif wait is not None and wait < BUSY_SECS:
                await self._clock.sleep(wait)
            else:
                try:
                    await asyncio.wait_for(self._added.wait(), wait)
                except TimeoutError:
                    continue

    def _beat(self, follower: Follower) -> None:
        interval = self._intervals.get(id(follower))
        if interval is None:
            return
        grown = False
        try:
            grown = follower.poll()
            if interval >= IDLE_SECS or not follower.generations:
                grown = look(follower, self._disk) or grown
        except OSError as error:
            follower.complain(error)
        wake(follower, grown)
        interval = BUSY_SECS if grown else min(interval * 2, IDLE_SECS)
        self._intervals[id(follower)] = interval
        self._schedule(follower, interval)


def look(follower: Follower, disk: Disk) -> bool:
    """Look at the directory if its files are not those that are open; whether there are more."""
    stat = disk.stat(f"{follower.log.directory}/{follower.log.name}")
    live = next((log for log in follower.generations if log.live), None)
    changed = live is not None and (stat is None or live.inode != (stat.device, stat.inode))
    directory = disk.stat(follower.log.directory)
    if not changed and directory and directory.mtime_ns == follower.directory_mtime_ns:
        return False
    before = len(follower.generations)
    follower.refresh()
    return len(follower.generations) > before


def wake(follower: Follower, grown: bool) -> None:
    for feed in follower.feeds:
        if grown or feed.due():
            feed.on_ready()
