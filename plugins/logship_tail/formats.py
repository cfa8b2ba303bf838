"""Which runtime wrote a log, by its content alone.

Docker's json-file lines are JSON objects; a CRI line begins with its time. A file without a byte
tells nothing yet: then a link means Docker (it links into its own directory), a file means CRI, and
an origin is never held back for it, since a short-lived pod's file goes a second after its first
line.
"""

from collections.abc import Sequence
from typing import Literal

from logship.api import Disk

Format = Literal["cri", "docker"]


def format_of(head: bytes, is_link: bool) -> Format:
    """`head`: the first byte of one of the log's files, or nothing."""
    if not head:
        return "docker" if is_link else "cri"
    return "docker" if head == b"{" else "cri"


def first_byte(disk: Disk, path: str, roots: Sequence[str]) -> bytes:
    """Raises OSError, also for a link out of the roots and for what is no regular file."""
    fd = disk.open(path, roots)
    try:
        return disk.pread(fd, 1, 0)
    finally:
        disk.close(fd)
