"""Where reading begins when there is no saved position.

A starting point is a time: rows from then on are read. So a file that appears later is read from
its first byte, and two agents that start at the same moment start at the same row. A file whose
lines have no times is read from its beginning if something was written to it since then, otherwise
from its end.
"""

from itertools import pairwise

from logship.rows.address import Position, time_ns
from logship.rows.index import Cutting, physical_lines
from logship.rows.lines import FORMATS, Lines
from logship.rows.records import join
from logship.tail.follow import Follower
from logship.tail.generation import LogGeneration, Reader
from logship.tail.unzip import DamagedFile
from logship.units import StartFrom
from logship.world import World

_WINDOW_BYTES = 128 * 1024


def cutoff_ns(start_from: StartFrom, now_ns: int) -> int:
    """The time from which on rows are read."""
    if start_from == "beginning":
        return 0
    return now_ns - (0 if start_from == "now" else int(float(start_from) * 1e9))


async def start_position(follower: Follower, world: World, cutoff: int) -> Position | None:
    """Where the first row from `cutoff` on lies; None: at the first byte of whatever comes."""
    logs = follower.generations
    if cutoff <= 0 or not logs:
        return None
    log = logs[0]
    for earlier, later in pairwise(logs):
        if later.generation.time_ns <= cutoff:
            log = later
        else:
            log = earlier
            break
    if log.generation.time_ns >= cutoff:
        return Position(log.generation, 0)
    if log.let_go:
        return Position(log.generation, log.size)  # which of its rows were wanted, nobody can tell
    return Position(
        log.generation, await _offset(log, log.reader(world), cutoff, follower.log.cutting)
    )


async def _offset(log: LogGeneration, reader: Reader, cutoff: int, cutting: Cutting) -> int:
    low = 0
    if not log.compressed:
        low = await _bisect(log, reader, cutoff, cutting.format)
    while window := await _read(reader, low):
        block = window[: window.rfind(b"\n") + 1]
        if not block:
            return low
        lines = physical_lines(block, cutting)
        if not any(lines.times):
            return await _without_times(log, reader, cutoff)
        row = next((n for n, time in enumerate(lines.times) if _from(time, cutoff)), None)
        if row is not None:
            return low + lines.starts[_record_start(lines, cutting, row)]
        low += len(block)
    return low


async def _read(reader: Reader, offset: int) -> bytes:
    try:
        return await reader.read(_WINDOW_BYTES, offset)
    except DamagedFile:
        return b""  # the feed will come to it, and count the loss


def _from(time: str, cutoff: int) -> bool:
    return bool(time) and time_ns(time) >= cutoff


def _record_start(lines: Lines, cutting: Cutting, row: int) -> int:
    """The line at which the record begins that this line belongs to."""
    joined, opened = join(lines, cutting.max_row_bytes)
    inside = [r.parts[0] for r in [*joined, *opened] if r.parts[0] < row <= r.parts[-1]]
    return min(inside, default=row)


async def _bisect(log: LogGeneration, reader: Reader, cutoff: int, format: str) -> int:
    """A line start at or before the first row from `cutoff` on; times only grow (nearly)."""
    low, high = 0, log.size
    while high - low > _WINDOW_BYTES:
        middle = (low + high) // 2
        window = await reader.read(_WINDOW_BYTES, middle)
        first = window.find(b"\n") + 1
        lines = FORMATS[format](window[first : window.rfind(b"\n") + 1], 0)
        time = next((time for time in lines.times if time), "")
        if time and time_ns(time) < cutoff:
            low = middle + first
        else:
            high = middle
    return low


async def _without_times(log: LogGeneration, reader: Reader, cutoff: int) -> int:
    if log.mtime_ns >= cutoff and not log.compressed:
        return 0 if log.generation.time_ns else await _last_line_end(log, reader)
    return await _last_line_end(log, reader)


async def _last_line_end(log: LogGeneration, reader: Reader) -> int:
    start = max(0, log.size - _WINDOW_BYTES)
    window = await reader.read(log.size - start, start)
    end = window.rfind(b"\n") + 1
    return start + end if end else log.size
