"""Tells when a file at rest is touched: written, renamed or unlinked. One notice per file, no more.

inotify(7) on the file itself, by its descriptor, with IN_ONESHOT: a file at rest costs nothing, and
one that is written costs one event when it begins, not one for each write. It is told only of
writes through this kernel, so only file systems of which that is known are watched; who watches
has to look from time to time all the same.
"""

import asyncio
import ctypes
import os
import struct
from collections.abc import Callable
from typing import Protocol

_MODIFY, _ATTRIB, _MOVE_SELF, _DELETE_SELF = 0x2, 0x4, 0x800, 0x400  # linux/inotify.h
_Q_OVERFLOW, _IGNORED, _ONESHOT = 0x4000, 0x8000, 0x8000_0000
_MASK = _MODIFY | _ATTRIB | _MOVE_SELF | _DELETE_SELF | _ONESHOT
_HEAD = struct.Struct("iIII")
_BUFFER_BYTES = 64 * 1024
_LOCAL = {
    0xEF53,  # ext2, ext3, ext4
    0x58465342,  # xfs
    0x9123683E,  # btrfs
    0x01021994,  # tmpfs
    0xF2F52010,  # f2fs
}
"""f_type of fstatfs(2): file systems of disks and memory, which nobody else can write to."""


class Notices(Protocol):
    """One kernel queue of notices. Not for other threads than the loop's."""

    def start(self, on_notice: Callable[[], None]) -> None:
        """Have `on_notice` called in the running loop when there is something to take."""
        ...

    def watch(self, fd: int) -> int | None:
        """A number for the notice about this file (two descriptors of one file share it).

        None: this file cannot be watched, on this file system or for want of watches.
        """
        ...

    def unwatch(self, number: int) -> None: ...

    def take(self) -> list[int] | None:
        """The numbers of files touched, each once; None: notices were lost, look at all."""
        ...

    def close(self) -> None: ...


class Inotify:
    """The `Notices` of Linux."""

    def __init__(self) -> None:
        """Raises OSError where there is none, or no more."""
        try:
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._fd: int = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except AttributeError:
            raise OSError("this system has no inotify") from None
        if self._fd < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), "fs.inotify.max_user_instances")
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, on_notice: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, on_notice)

    def watch(self, fd: int) -> int | None:
        if self._file_system(fd) not in _LOCAL:
            return None
        number: int = self._libc.inotify_add_watch(
            self._fd, b"/proc/self/fd/%d" % fd, ctypes.c_uint32(_MASK)
        )
        return number if number >= 0 else None

    def _file_system(self, fd: int) -> int:
        buffer = ctypes.create_string_buffer(256)
        if self._libc.fstatfs(fd, buffer) != 0:
            return 0
        return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], "little")

    def unwatch(self, number: int) -> None:
        self._libc.inotify_rm_watch(self._fd, number)  # refused if the notice came: no matter

    def take(self) -> list[int] | None:
        found: list[int] = []
        while True:
            try:
                events = os.read(self._fd, _BUFFER_BYTES)
            except BlockingIOError:
                return found
            at = 0
            while at < len(events):
                number, mask, _, name_bytes = _HEAD.unpack_from(events, at)
                at += _HEAD.size + name_bytes
                if mask & _Q_OVERFLOW:
                    return None
                if not mask & _IGNORED:
                    found.append(number)

    def close(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        os.close(self._fd)
