"""What the kernel tells of directories, told at once and in the loop: no thread, no real time."""

from pathlib import Path

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    Mask,
    WatchCallback,
    WatchDescriptor,
)


class ModelInotify:
    """In place of watchdog's InotifyFD (`logship_tail.watching.Inotify`)."""

    def __init__(self) -> None:
        self._callbacks: dict[str, tuple[WatchDescriptor, WatchCallback]] = {}
        self._next = 0

    def start(self) -> None:
        """Nothing to start."""

    def stop(self) -> None:
        self._callbacks.clear()

    def join(self, timeout: float | None = None) -> None:
        """No thread."""

    def add_callback(
        self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
    ) -> WatchDescriptor:
        directory = path.decode()
        if not Path(directory).is_dir():
            raise FileNotFoundError(directory)
        self._next += 1
        descriptor = WatchDescriptor(self._next)
        self._callbacks[directory] = descriptor, callback
        return descriptor

    def remove_callbacks(self, callbacks: list[tuple[WatchDescriptor, CallbackId]]) -> None:
        gone = {descriptor for descriptor, _ in callbacks}
        left = {path: pair for path, pair in self._callbacks.items() if pair[0] not in gone}
        self._callbacks = left

    def changed(self, path: str) -> None:
        """Something was made, moved or deleted at this path."""
        parent, name = path.rsplit("/", 1)
        if parent in self._callbacks:
            descriptor, callback = self._callbacks[parent]
            mask = Mask(InotifyConstants.IN_CREATE)
            callback.on_event(InotifyEvent(descriptor, mask, 0, name.encode()))
        if path in self._callbacks and not Path(path).exists():
            descriptor, callback = self._callbacks.pop(path)
            callback.on_watch_deleted(descriptor)
