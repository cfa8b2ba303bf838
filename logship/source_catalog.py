"""The catalog as one source sees it (`api.Catalog`). Calls are cheap and never wait."""

import logging
from collections.abc import Callable

from logship.api import OpenFeed
from logship.catalog import Origins
from logship.entry import Entry
from logship.origin import Labels, LogFile, Origin
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
        self._added: set[str] = set()
        """Keys, since the source began, until it is complete."""

    def begin(self) -> None:
        """The source begins, perhaps once more, perhaps with other options: what there is of it
        it has to add again.
        """
        self._complete = False
        self._added.clear()

    def complete(self) -> None:
        if not self._complete:
            self._leave_others()
        self._complete = True
        self._added.clear()
        self._origins.absent.complete(self._source)

    def _leave_others(self) -> None:
        """Those it had before and does not name now: gone meanwhile, or not wanted any more."""
        for key, entry in list(self._origins.entries.items()):
            if entry.source != self._source or key in self._added:
                continue
            if isinstance(entry.log, LogFile) and not _is_there(entry.log, self._world):
                self.retire(key)
            else:
                self._origins.leave(entry)

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        if not self._complete:
            self._added.add(origin.key)
        known = self._origins.entries.get(origin.key)
        if known is not None:
            if known.orphan:
                self._adopt(known)
            self._revive(known, origin.labels)
            return
        self._origins.absent.saw(origin.key)
        now = self._world.clock.now()
        entry = Entry(origin, log, self._source, None, now, not self._complete)
        entry.said = self._log
        entry.follower = self._origins.follow(entry)
        self._origins.entries[origin.key] = entry
        self._bind_soon(entry)

    def _adopt(self, entry: Entry) -> None:
        """It was another source's, which is gone: its files are held, and routes go on there."""
        entry.source, entry.orphan = self._source, False
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


def _is_there(log: LogFile, world: World) -> bool:
    return world.disk.stat(f"{log.directory}/{log.name}") is not None
