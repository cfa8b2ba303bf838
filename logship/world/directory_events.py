"""Tells that something happened in one directory: a file was written and closed, made, renamed.

watchdog's own inotify, one thread. It makes looking early, never right: who asks has to look from
time to time all the same.
"""

import asyncio
import contextlib

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

_EVENTS = Mask(
    InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_ONLYDIR
)


class DirectoryEvents:
    """Of one directory; `happened` is set in the loop in which it was made."""

    def __init__(self, directory: str) -> None:
        """Raises OSError where there is no inotify, or no more of it."""
        self.happened = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._inotify = InotifyFD()
        self._inotify.start()
        try:
            raw = directory.encode(errors="surrogateescape")
            if self._inotify.add_callback(raw, _EVENTS, self, CallbackId(0)) == -1:
                raise PermissionError(f"may not watch {directory}")
        except OSError:
            self._inotify.stop()
            raise

    def on_event(self, event: InotifyEvent) -> None:
        self._tell()

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        self._tell()

    def on_queue_overflow(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """In watchdog's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self.happened.set)

    def close(self) -> None:
        """Blocks until the thread has ended, some ms."""
        self._inotify.stop()
        self._inotify.join(timeout=2)
