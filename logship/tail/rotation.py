"""When rotation would delete bytes that a route has not read. Pure.

`risk_secs` is defined so. An origin keeps `max_files` files; each time the live one has reached
`max_bytes` one more is begun and the oldest goes, whole. With w bytes a second written to the
origin and r read of it by the route, the live file is rotated after (max_bytes - its size) / w
seconds, and then every max_bytes / w. A file that has d newer ones goes at rotation number
max_files - d. The route has read a file to its end after (unread bytes up to that end) / r,
counting those that will still be written to it. The risk is the time at which the first file goes
that is not read to its end by then; files that will be begun later count too, so a route that is
slower than its writers has a risk long before the first byte is in danger.

Conservative where it has to guess: a file's size is the least that was seen of rotated ones (the
option only where none was seen); that the kubelet looks every 10 s only, so that files grow larger,
is not counted on; a file that is there in spite of `max_files` goes with the next rotation.

None (no risk): nothing is unread, nothing is written, the rates are not known yet, the route keeps
up (what is unread was written in the last `KEEPING_UP_SECS`), all files will be read in time, or
the time lies beyond `HORIZON_SECS`. 0: unread bytes are in a file that has been deleted; they exist
only as long as this process holds its descriptor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from logship.origin import Rotation

KEEPING_UP_SECS = 2.0
HORIZON_SECS = 86_400.0
"""Rates do not hold that long."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes a second."""

    written: float
    read: float


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file of an origin, one of those from the first with unread bytes on to the newest."""

    unread_bytes: int
    size: int
    """Uncompressed."""
    deleted: bool = False
    """It has no name any more, nor has a copy of it."""


def risk_secs(
    files: Sequence[KeptFile], live: bool, rotation: Rotation | None, rates: Rates | None
) -> float | None:
    """As defined above. `files` in the order they were written; `live`: the last is written to."""
    unread = sum(file.unread_bytes for file in files)
    if any(file.deleted and file.unread_bytes for file in files):
        return 0.0
    if not unread or rotation is None or rates is None or rates.written <= 0:
        return None
    if unread <= rates.written * KEEPING_UP_SECS:
        return None
    at = _first_loss(files, live, rotation, rates)
    return at if at is not None and at <= HORIZON_SECS else None


def _first_loss(
    files: Sequence[KeptFile], live: bool, rotation: Rotation, rates: Rates
) -> float | None:
    rotated = files[:-1] if live else files
    size = min((file.size for file in rotated), default=rotation.max_bytes)
    left = max(0, size - files[-1].size) if live else size
    to_read = 0
    for newer, file in zip(range(len(rotated), 0, -1), rotated, strict=True):
        to_read += file.unread_bytes
        gone = _rotation_secs(max(1, rotation.max_files - newer), left, size, rates)
        if _read_secs(to_read, rates) > gone:
            return gone
    to_read += left + (files[-1].unread_bytes if live else 0)
    gone = _rotation_secs(rotation.max_files, left, size, rates)
    if _read_secs(to_read, rates) > gone:
        return gone
    if rates.read >= rates.written:
        return None
    # Files to come: each is read later by more than it goes later. The first that is too late:
    behind = size / rates.read - size / rates.written
    number = math.floor((gone - _read_secs(to_read, rates)) / behind) + 1
    return gone + number * size / rates.written


def _rotation_secs(number: int, left: int, size: int, rates: Rates) -> float:
    """Until the live file has been rotated so many times; `left` bytes are missing to the first."""
    return (left + (number - 1) * size) / rates.written


def _read_secs(size: int, rates: Rates) -> float:
    if not size:
        return 0.0
    return size / rates.read if rates.read > 0 else math.inf
