"""Which place of a log another agent's entry means. Plain functions of values.

An inode says which file was read only as long as nobody has used it again, and file systems do that
at once: the next file of a log often gets the inode of the one just compressed. So an entry counts
only if the file has as many bytes, and its first row is not later than what the other agent wrote
last. A compressed file is another file than the one that was read. Whatever cannot be told leads to
the first byte that is there: rows come twice rather than never.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from logship.cli.positions.foreign import Entry


class Found(Enum):
    """What became of the entries of a log."""

    THERE = "goes on there"
    ROTATED = "goes on there, in a rotated file"
    GONE = "from its first byte: the file that was read is compressed or gone"
    REUSED = "from its first byte: the inode that was read is that of a later file"
    SHORTER = "from its first byte: the file is shorter than what was read of it"
    NO_ENTRY = "as at a first start: the other agent has not read it"
    NEW = "from its first byte: it is new"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a log, as it is now; the live one is the last."""

    inode: int
    size: int
    first_ns: int
    """The time of its first row."""
    compressed: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    found: Found
    file: int = 0
    offset: int = 0


def place(files: Sequence[File], entries: Sequence[Entry], written_ns: int) -> Place:
    """Where to go on. `files` in the order they were written, `entries` of this log alone."""
    if not entries:
        return Place(_unread(files, written_ns))
    offsets: dict[int, int] = {}
    wrong = Found.GONE
    for number, file in enumerate(files):
        for entry in entries:
            if entry.inode != file.inode or file.compressed:
                continue
            if file.first_ns > written_ns:
                wrong = Found.REUSED
            elif not 0 <= entry.offset <= file.size:
                wrong = Found.SHORTER
            else:
                offsets[number] = entry.offset
    if not offsets:
        return Place(wrong)
    unread = [number for number, offset in offsets.items() if offset < files[number].size]
    first = min(unread, default=max(offsets))
    found = Found.THERE if files[first].live else Found.ROTATED
    return Place(found, first, offsets[first])


def _unread(files: Sequence[File], written_ns: int) -> Found:
    there = bool(files) and files[0].first_ns <= written_ns
    return Found.NO_ENTRY if there else Found.NEW
