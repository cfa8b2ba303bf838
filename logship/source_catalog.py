"""The catalog as one source sees it (`api.Catalog`). Calls are cheap and never wait."""

import logging
from collections.abc import Callable

from logship.api import OpenFeed
from logship.catalog import Origins
from logship.entry import Entry
from logship.origin import Labels, LogFile, Origin
from logship.tail.follow import Follower
from logship.world import World


class SourceCatalog:
    """Of one source."""

    def __init__(
        self, source: str, origins: Origins, bind_soon: Callable[[Entry], None], world: World,
        logger: logging.Logger,
    ) -> None:  # fmt: skip
        self._source, self._origins, self._bind_soon = source, origins, bind_soon
        self._world, self._log = world, logger
        self._complete = False

    def complete(self) -> None:
        self._complete = True
        self._origins.absent.complete(self._source)

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        known = self._origins.entries.get(origin.key)
        if known is not None:
            self._revive(known, origin.labels)
            return
        follower = None
        if isinstance(log, LogFile):
            descriptors = self._origins.descriptors
            follower = Follower(origin, log, self._world, self._log, descriptors=descriptors)
            follower.expect(self._origins.saved(origin.key))
            follower.look_again()  # open at once: a pod's log may be deleted a second later
            self._origins.pulse.add(follower)
        self._origins.absent.saw(origin.key)
        now = self._world.clock.now()
        entry = Entry(origin, log, self._source, follower, now, not self._complete)
        self._origins.entries[origin.key] = entry
        self._bind_soon(entry)

    def _revive(self, entry: Entry, labels: Labels) -> None:
        """kubelet renames a file back when the runtime did not reopen it."""
        entry.retired = False
        if entry.follower is not None:
            entry.follower.retired = False
            for feed in entry.follower.feeds:
                feed.revive()
        if labels.known or not entry.origin.labels.known:
            entry.origin.labels = labels

    def update(self, key: str, labels: Labels) -> None:
        entry = self._origins.entries.get(key)
        if entry is not None:
            entry.origin.labels = labels
            if entry.decided:
                self._origins.heed(entry)
            else:
                self._bind_soon(entry)

    def touch(self, key: str) -> None:
        entry = self._origins.entries.get(key)
        if entry is not None and entry.follower is not None:
            entry.follower.look_again()
            self._origins.pulse.rouse(entry.follower)
            for feed in entry.follower.feeds:
                feed.on_ready()

    def retire(self, key: str) -> None:
        entry = self._origins.entries.get(key)
        if entry is None or entry.retired:
            return
        entry.retired = True
        if entry.follower is not None:
            entry.follower.retired = True
        self.touch(key)
        if not entry.decided:
            self._bind_soon(entry)
