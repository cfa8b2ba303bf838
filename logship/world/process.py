"""What the process asks of the kernel and of malloc before it starts working."""

import ctypes
import gc
import resource
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # glibc malloc.h
_KEEP_BYTES = 32 * 1024 * 1024
_ARENAS = 2


def keep_freed_memory() -> None:
    """Have malloc reuse large blocks instead of returning them: a 1 MB request costs a quarter.

    With glibc's defaults each request body is a new mmap and 457 page faults a MB. No-op elsewhere.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)
    mallopt(_M_MMAP_THRESHOLD, 32 * 1024 * 1024)
    mallopt(_M_ARENA_MAX, _ARENAS)  # each thread that compresses would get one of its own


def raise_open_files() -> None:
    """Allow as many open files as the hard limit says. `Disk.max_open_files` tells what is so."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # then it stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def collect_garbage_rarely() -> None:
    """Batches are columns of many small objects without cycles: looking for cycles is waste."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
