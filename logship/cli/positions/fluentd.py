"""The `pos_file` of fluentd's in_tail, as bytes. No I/O here.

    path <tab> offset, 16 hex digits <tab> inode, 16 hex digits (8 in old versions) <newline>

Offset ffffffffffffffff means that the path is not watched any more. fluentd takes the last line of
a path and passes over what it cannot read (in_tail/position_file.rb, PositionFile).
"""

import re
from collections.abc import Iterable

from logship.cli.positions.foreign import Entry

_LINE = re.compile(rb"([^\t\n]+)\t([0-9a-fA-F]{1,16})\t([0-9a-fA-F]{1,16})")
_UNWATCHED = 0xFFFF_FFFF_FFFF_FFFF


def parse(content: bytes) -> tuple[list[Entry], int]:
    """(entries of paths that are watched, lines that are none)."""
    entries: dict[tuple[str, int], Entry] = {}
    bad = 0
    for line in content.split(b"\n"):
        found = _LINE.match(line)
        if found is None:
            bad += bool(line.strip())
            continue
        path = found[1].decode("utf-8", "surrogateescape")
        offset, inode = int(found[2], 16), int(found[3], 16)
        if offset == _UNWATCHED:
            entries.pop((path, inode), None)
        else:
            entries[path, inode] = Entry(path, inode, offset)
    return list(entries.values()), bad


def render(entries: Iterable[Entry]) -> bytes:
    """The file with these entries. Paths must be `writable`."""
    lines = (f"{e.path}\t{e.offset:016x}\t{e.inode:016x}\n" for e in entries)
    return "".join(lines).encode("utf-8", "surrogateescape")


def writable(path: str) -> bool:
    """Whether a line can hold the path."""
    return path != "" and "\t" not in path and "\n" not in path


def merged(content: bytes, entries: Iterable[Entry]) -> bytes:
    """The file with these entries in place of what it said of their paths."""
    new = {entry.path: entry for entry in entries}
    others = [entry for entry in parse(content)[0] if entry.path not in new]
    return render([*others, *new.values()])
