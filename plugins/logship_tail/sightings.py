"""What a look at the tree found, and what changed since the look before. Pure.

A log is what the directory says: its files' names and inodes. So a rotation, a restart and a
removal are differences between two looks, and it does not matter which event, if any, led to the
second look.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from logship.api import LogFile

Snapshot = Mapping[str, "Sighting"]
"""By the keys of the origins."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One log as a look found it."""

    key: str
    labels: Mapping[str, str]
    log: LogFile
    files: frozenset[tuple[str, int]]
    """(name, inode) of its live and its rotated files."""


@dataclass(frozen=True, slots=True)
class Changes:
    appeared: tuple[Sighting, ...]
    touched: tuple[Sighting, ...]
    gone: tuple[str, ...]
    """Keys."""


def changes(before: Snapshot, after: Snapshot) -> Changes:
    return Changes(
        appeared=tuple(after[key] for key in sorted(after.keys() - before.keys())),
        touched=tuple(
            seen for key, seen in after.items()
            if key in before and seen.files != before[key].files
        ),
        gone=tuple(sorted(before.keys() - after.keys())),
    )  # fmt: skip
