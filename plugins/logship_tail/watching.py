"""Tells when something was created, moved or deleted in a directory.

Directories only, and never with an event for written bytes: watchdog's default mask costs 50 us for
every line that any container logs. Exactly the directories that a scan visits are watched, each
before it is read, so nothing can appear between the two. watchdog's observers cannot do that: they
watch whole trees, take a thread for each directory where they do not, and keep silent about
directories that the kernel refuses to watch. So this uses the layer below them: one inotify
instance, one thread.

Watching makes looking early, never right: a scan comes every few seconds anyway, and every second
where inotify cannot be had (`complete` is false).
"""

import asyncio
import contextlib
from collections.abc import Callable
from itertools import count
from typing import Protocol

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchCallback,
    WatchDescriptor,
)

EVENTS = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)

MAX_PATHS = 10_000
"""More than that at a time are not remembered one by one: everything is looked at."""


class Inotify(Protocol):
    """What is used of watchdog's InotifyFD."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def join(self, timeout: float | None = None) -> None: ...

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor: ...

    def remove_callbacks(self, callbacks: list[tuple[WatchDescriptor, CallbackId]]) -> None: ...


OpenInotify = Callable[[], Inotify]


class Directory:
    """One watched directory, as inotify's thread sees it."""

    def __init__(self, watcher: "Watcher", path: str, id_: CallbackId) -> None:
        self._watcher = watcher
        self._path = path
        self.id = id_
        self.wd: WatchDescriptor | None = None

    def on_event(self, event: InotifyEvent) -> None:
        if event.is_move_self:
            self.wd = event.wd
            self._watcher.moved(self._path)
        name = event.name.decode(errors="surrogateescape")
        end = "/" if event.is_directory else ""
        self._watcher.tell(f"{self._path}/{name}{end}" if name else f"{self._path}/")

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        self._watcher.forget(self._path, self)
        self._watcher.tell(f"{self._path}/")

    def on_queue_overflow(self) -> None:
        self._watcher.tell(None)


class Watcher:
    """Collects paths at which something happened until somebody takes them.

    Paths of directories end in a slash.
    """

    def __init__(self, open_inotify: OpenInotify = InotifyFD) -> None:
        self._open_inotify = open_inotify
        self._inotify: Inotify | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watched: dict[str, Directory] = {}
        self._ids = count()
        self._paths: set[str] = set()
        self.overflowed = False
        """Events were lost: everything must be looked at."""
        self.happened = asyncio.Event()
        self.events = 0
        self.failure = ""
        """Why inotify refused something: a limit of the node."""
        self.forbidden = ""
        """A directory that may not be watched: whoever may not read it may not, and SELinux can say
        no though it may be read."""
        self._absent = False

    @property
    def complete(self) -> bool:
        """Whether every directory there is tells what happens in it."""
        missing = self.failure or self.forbidden or self._absent
        return self._inotify is not None and not missing

    def begin(self) -> None:
        """Everything is about to be scanned, and watched if it is not: what failed may work."""
        self._absent = False
        self.failure = self.forbidden = ""
        if self._inotify is None:
            self._open()

    def start(self) -> None:
        """Call in the loop; `happened` is set there."""
        self._loop = asyncio.get_running_loop()
        self._open()

    def _open(self) -> None:
        try:
            inotify = self._open_inotify()
            inotify.start()
        except OSError as error:
            self.failure = f"{error.strerror or error} (fs.inotify.max_user_instances)"
            return
        self._inotify = inotify

    def watch(self, path: str) -> None:
        """Call before the directory is read; from any thread."""
        if self._inotify is None or path in self._watched:
            return
        id_ = CallbackId(next(self._ids))
        directory = self._watched[path] = Directory(self, path, id_)
        try:
            raw = path.encode(errors="surrogateescape")
            directory.wd = self._inotify.add_callback(raw, EVENTS, directory, id_)
            if directory.wd == -1:  # watchdog's answer to EACCES
                self._watched.pop(path, None)
                self.forbidden = path
        except (FileNotFoundError, NotADirectoryError):
            self._watched.pop(path, None)
            self._absent = self._absent or not self._below_watched(path)
        except PermissionError:
            self._watched.pop(path, None)
            self.forbidden = path
        except OSError as error:
            self._watched.pop(path, None)
            self.failure = f"{error.strerror or error} (fs.inotify.max_user_watches)"

    def _below_watched(self, path: str) -> bool:
        """Whether there will be an event when this directory comes (again)."""
        while path := path.rpartition("/")[0]:
            if path in self._watched:
                return True
        return False

    def forget(self, path: str, directory: Directory) -> None:
        if self._watched.get(path) is directory:
            del self._watched[path]

    def moved(self, path: str) -> None:
        """What was below the path has other names now; these are watched when they are scanned."""
        for name, directory in list(self._watched.items()):
            if name == path or name.startswith(f"{path}/"):
                self.forget(name, directory)
                if self._inotify is not None and directory.wd is not None:
                    self._inotify.remove_callbacks([(directory.wd, directory.id)])

    def tell(self, path: str | None) -> None:
        """Called in inotify's thread; without a path: anywhere."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._note, path)

    def _note(self, path: str | None) -> None:
        self.events += 1
        if path is None or len(self._paths) >= MAX_PATHS:
            self.overflowed = True
            self._paths.clear()
        elif not self.overflowed:
            self._paths.add(path)
        self.happened.set()

    def take(self) -> set[str]:
        """The paths since the last call."""
        paths, self._paths = self._paths, set()
        self.happened.clear()
        return paths

    def stop(self) -> None:
        """Blocks until the thread has ended, some ms."""
        if self._inotify is not None:
            self._inotify.stop()
            self._inotify.join(timeout=2)
            self._inotify = None
