"""What the catalog was told of the logs of one source, and is told later: what becomes known.

Metadata comes beside the logs, and may come after one is gone already: a pod that ends just after
the agent has started. Its log is held open and waits for its routes, so it is told then too, as
long as a route may wait.
"""

from collections.abc import Callable, Mapping

from logship.api import Catalog, Clock, Labels, LogFile, Origin
from logship_tail.sightings import Sighting

LATE_SECS = 60.0
"""So long after a log is gone nobody waits for its metadata any more."""


class Told:
    def __init__(
        self, catalog: Catalog, clock: Clock, labels: Callable[[Mapping[str, str]], Labels]
    ) -> None:
        self._catalog, self._clock, self._labels = catalog, clock, labels
        self._logs: dict[str, tuple[Mapping[str, str], Labels]] = {}
        self._gone: dict[str, tuple[Mapping[str, str], float]] = {}
        """Of which nothing was known when they were gone, and since when."""

    def __len__(self) -> int:
        return len(self._logs)

    def __contains__(self, key: str) -> bool:
        """Whether it is there, as far as the catalog was told."""
        return key in self._logs

    def add(self, seen: Sighting, log: LogFile) -> None:
        labels = self._labels(seen.labels)
        self._gone.pop(seen.key, None)
        self._logs[seen.key] = seen.labels, labels
        self._catalog.add(Origin(seen.key, labels), log)

    def retire(self, key: str) -> None:
        self._catalog.retire(key)
        base, told = self._logs.pop(key)
        now = self._clock.now()
        self._gone = {k: v for k, v in self._gone.items() if now - v[1] < LATE_SECS}
        if not told.known:
            self._gone[key] = base, now

    def relabel(self) -> None:
        """What is known about logs has changed.

        What was known of one that is still there stays: it may have to wait for a long time.
        """
        for key, (base, told) in self._logs.items():
            labels = self._labels(base)
            if labels != told and (labels.known or not told.known):
                self._logs[key] = base, labels
                self._catalog.update(key, labels)
        for key, (base, _) in list(self._gone.items()):
            labels = self._labels(base)
            if labels.known:
                del self._gone[key]
                self._catalog.update(key, labels)
