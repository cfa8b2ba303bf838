"""One line of log per cause, however often it comes back.

A complaint is told when it is new, counted when it repeats, and bounded: the names in it come from
the file system, and a hostile tree can have any number of them.
"""

import logging
from collections import Counter

MAX_TOLD = 20


class Complaints:
    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._told: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()
        """Per cause, the names it was told of."""

    def say(self, cause: str, name: str, what_to_do: str = "") -> None:
        """Warn about `name`, once per cause and name, for the first names of a cause."""
        if (cause, name) in self._told or self.counts[cause] > MAX_TOLD:
            return
        self._told.add((cause, name))
        self.counts[cause] += 1
        if self.counts[cause] > MAX_TOLD:
            self._log.warning("%s: more than %d; no more of them are named", cause, MAX_TOLD)
            return
        advice = f"; {what_to_do}" if what_to_do else ""
        self._log.warning("%s: %s%s", cause, name, advice)
