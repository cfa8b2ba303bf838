"""Where the record begins that a byte belongs to.

Another agent may stand in the middle of a line (it was killed), or between the parts that the
runtime cut a record into. A position of logship never does: its rows are whole.
"""

from logship.rows.index import Cutting, physical_lines
from logship.rows.records import join
from logship.world import Disk

_WINDOW_BYTES = 512 * 1024


def record_start(disk: Disk, fd: int, offset: int, cutting: Cutting) -> int:
    """At or before `offset`; `offset` itself where no line ends in the half MiB before it."""
    first = max(0, offset - _WINDOW_BYTES)
    window = disk.pread(fd, offset - first, first)
    begin = 0 if first == 0 else window.find(b"\n") + 1
    end = window.rfind(b"\n") + 1
    if first and not begin:
        return offset
    lines = physical_lines(window[begin:end], cutting)
    _, opened = join(lines, cutting.max_row_bytes)
    inside = [lines.starts[record.parts[0]] for record in opened]
    return first + begin + min(inside, default=end - begin)
