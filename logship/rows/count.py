"""How many rows a block has, told from its lines alone where that is sure.

To find the rows of a block costs the pure kernel eight times as much as to count its lines, and a
sink that ships blocks wants no rows. (The compiled one finds those of CRI lines when it cuts the
block, so it is not asked here.) None means that only `index` can tell: rows are joined, the last
line has no end, a part of a record is there, or a line is longer than a row may be. Lines that are
not of the format are rows of their own, so they count, but nobody sees that they are malformed.
"""

from logship.rows import kernel
from logship.rows.index import Cutting
from logship.rows.lines import STDERR, STDOUT, has_line_of, line_count

_PARTS = tuple(f" {stream} P".encode() for stream in (STDOUT, STDERR))


def lines_as_rows(block: bytes, cutting: Cutting) -> int | None:
    """The number of rows, each a whole line; None: `index` has to tell."""
    if not block:
        return 0
    if cutting.joins is not None or cutting.format == "docker":
        return None
    if cutting.format == "cri" and kernel.in_use() == "compiled":
        return None
    if not block.endswith(b"\n") or has_line_of(cutting.max_row_bytes, block):
        return None
    if cutting.format == "cri" and any(part in block for part in _PARTS):
        return None
    return line_count(block)
