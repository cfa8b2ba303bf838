"""When a file was made: statx(2), as os.stat does not tell it on Linux."""

import ctypes
from collections.abc import Callable
from functools import cache

_STATX_BTIME = 0x800
_AT_EMPTY_PATH = 0x1000
_BTIME_AT = 80  # offset of stx_btime in struct statx (linux/stat.h)


@cache
def _statx() -> Callable[..., int] | None:
    """Of libc; None: it has none. Found once: each `CDLL` makes a class that stays for long."""
    try:
        return ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return None


def birth_ns(fd: int) -> int:
    """0: the system does not know."""
    if (statx := _statx()) is None:
        return 0
    buffer = ctypes.create_string_buffer(256)
    if statx(fd, b"", _AT_EMPTY_PATH, _STATX_BTIME, buffer) != 0:
        return 0
    raw = buffer.raw
    mask = int.from_bytes(raw[0:4], "little")
    if not mask & _STATX_BTIME:
        return 0
    seconds = int.from_bytes(raw[_BTIME_AT : _BTIME_AT + 8], "little", signed=True)
    nanos = int.from_bytes(raw[_BTIME_AT + 8 : _BTIME_AT + 12], "little")
    return seconds * 1_000_000_000 + nanos
