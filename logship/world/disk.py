"""Files as the engine sees them.

Reads of the page cache are made in the loop (`RWF_NOWAIT`, 15 us for 256 KiB); only a read that
would wait for the disk goes to a thread. A path is never followed out of the roots it was allowed.
"""

import errno
import fcntl
import os
import resource
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from logship.world.birth import birth_ns
from logship.world.offload import Offload

_BUFFER_BYTES = 1024 * 1024
_NO_LIMIT = 1 << 30


class Stat(NamedTuple):
    """A tuple: it is made for every look at a file, where a dataclass costs more than fstat."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    links: int
    """Names the file still has; 0 once it is deleted."""


@dataclass(frozen=True, slots=True)
class Space:
    """Of a file system."""

    total: int
    free: int
    """What anybody may use, as the kubelet counts it."""


@dataclass(frozen=True, slots=True)
class DirEntry:
    name: str
    inode: int
    is_dir: bool
    is_link: bool


class NotAllowed(OSError):
    """A link leads out of the allowed roots, or the thing is no regular file."""


class Disk:
    def __init__(self, offload: Offload) -> None:
        self._offload = offload
        self._nowait = hasattr(os, "RWF_NOWAIT")
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))  # reused: a new one costs page faults

    def scan(self, directory: str) -> list[DirEntry]:
        """The entries of a directory; none if it is gone."""
        try:
            with os.scandir(directory) as entries:
                return [
                    DirEntry(e.name, e.inode(), e.is_dir(follow_symlinks=False), e.is_symlink())
                    for e in entries
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def stat(self, path: str) -> Stat | None:
        try:
            return _stat(os.stat(path))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:
                return None
            raise

    def open(self, path: str, roots: Sequence[str] = ()) -> int:
        """A descriptor for reading a regular file. With `roots` (paths without links), it has to
        lie below one of them, by whatever links; without, the last name must be no link.

        The file is found first (O_PATH opens nothing: no device acts, no FIFO blocks), then judged,
        then opened as what was found, so that nothing can be exchanged in between.
        Raises FileNotFoundError, PermissionError, NotAllowed.
        """
        found = os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if roots else os.O_NOFOLLOW))
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                raise NotAllowed(errno.EINVAL, "not a regular file", path)
            self_path = f"/proc/self/fd/{found}"
            target = os.readlink(self_path)
            if roots and not any(target.startswith(root.rstrip("/") + "/") for root in roots):
                reason = f"it leads to {target}, out of {list(roots)}"
                raise NotAllowed(errno.ELOOP, reason, path)
            return os.open(self_path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        finally:
            os.close(found)

    def close(self, fd: int) -> None:
        os.close(fd)

    def fstat(self, fd: int) -> Stat:
        return _stat(os.fstat(fd))

    def size(self, fd: int) -> int:
        """Of the open file, for a third of what `fstat` costs; nobody reads where it seeks."""
        return os.lseek(fd, 0, os.SEEK_END)

    def space(self, fd: int) -> Space:
        """Of the file system that the open file lies on."""
        found = os.fstatvfs(fd)
        return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)

    def max_open_files(self) -> int:
        """How many files the process may have open."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft

    async def read(self, fd: int, size: int, offset: int) -> bytes:
        """Up to `size` bytes (1 MiB at most) at `offset`; empty only at the end of the file."""
        if self._nowait:
            view = self._buffer[:size]
            try:
                return bytes(view[: os.preadv(fd, [view], offset, os.RWF_NOWAIT)])
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                    raise
                self._nowait = False
        return await self._offload.run(os.pread, fd, size, offset)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        return os.pread(fd, size, offset)

    def birth_ns(self, fd: int) -> int:
        """When the file was made, in ns since 1970; 0 where the file system does not say."""
        return birth_ns(fd)

    def writable(self, directory: str) -> bool:
        """Whether this process may make files in it."""
        return os.access(directory, os.W_OK | os.X_OK)

    def is_link(self, path: str) -> bool:
        return os.path.islink(path)

    def realpath(self, path: str) -> str:
        return os.path.realpath(path)

    def read_text(self, path: str, max_bytes: int) -> str:
        """The whole file as UTF-8. Raises OSError; ValueError when it is larger or not UTF-8."""
        return self.read_bytes(path, max_bytes).decode()

    def read_bytes(self, path: str, max_bytes: int) -> bytes:
        """The whole file. Raises OSError; ValueError when it is larger."""
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
        if len(content) > max_bytes:
            raise ValueError(f"{path} is larger than {max_bytes} bytes")
        return content

    def make_dir(self, path: str) -> None:
        os.makedirs(path, mode=0o700, exist_ok=True)

    def append(self, path: str, content: bytes, *, sync: bool) -> int:
        """Append to a private file (mode 0600), in one write; its size after. Raises OSError.

        A write that did not fit is cut off again, so that no torn line stays behind.
        """
        fd = os.open(
            path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            size = os.fstat(fd).st_size
            try:
                _write_all(fd, content)
                if sync:
                    os.fdatasync(fd)
            except OSError:
                os.ftruncate(fd, size)
                raise
            return size + len(content)
        finally:
            os.close(fd)

    def replace(self, path: str, content: bytes) -> None:
        """Write a private file; a crash leaves the old one or the new one. Raises OSError."""
        temporary = path + ".new"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(fd, content)
            os.fsync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
        directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def rename(self, path: str, target: str) -> None:
        os.replace(path, target)

    def remove(self, path: str) -> None:
        os.unlink(path)

    def lock(self, path: str) -> int:
        """Hold a lock until the process ends. Raises BlockingIOError when another one holds it."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise
        return fd


def _stat(found: os.stat_result) -> Stat:
    # Not `Stat(...)`: that is a Python function, twice as slow, and this is called for every look.
    return tuple.__new__(
        Stat, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_nlink)
    )


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
