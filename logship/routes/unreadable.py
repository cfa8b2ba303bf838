"""Logs of a route that cannot be read.

Such a log is tried again with each look at its file, and said once, until it works.
"""

import logging

from logship.counters import RouteCounters
from logship.routes.binding import Binding
from logship.said import shown


class Unreadable:
    def __init__(self, counters: RouteCounters, log: logging.Logger) -> None:
        self._counters, self._log = counters, log
        self._bindings: set[Binding] = set()

    def failed(self, binding: Binding, error: Exception) -> None:
        """A try to read it raised this; anything but OSError is a bug, of hostile bytes perhaps."""
        key, bug = binding.feed.origin.key, not isinstance(error, OSError)
        self._counters.bugs += bug
        self._counters.last_error = shown(f"{key}: {error}")
        if binding in self._bindings:
            return
        self._bindings.add(binding)
        if bug:
            self._log.error("a bug in reading %s", key, exc_info=error)
        else:
            self._log.warning("cannot read %s: %s", key, error)

    def forget(self, binding: Binding) -> None:
        """It was read, or is gone."""
        self._bindings.discard(binding)
