"""Where another agent stands in its files: what fluentd and Fluent Bit save has one shape.

A path as that agent names it (often a link), the inode it had open, and how many bytes of it were
read. Values only.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    path: str
    inode: int
    offset: int


@dataclass(frozen=True, slots=True)
class Stand:
    entries: Sequence[Entry]
    left_out: Sequence[str] = ()
    """What of it could not be used, in words."""
    written_ns: int = 0
    """When the other agent wrote last; wall clock."""


def together(stands: Sequence[Stand]) -> Stand:
    """Of one agent that saves in several files."""
    return Stand(
        [entry for stand in stands for entry in stand.entries],
        [words for stand in stands for words in stand.left_out],
        max(stand.written_ns for stand in stands),
    )
