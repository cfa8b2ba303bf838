"""Records of several lines: what the runtime cut into parts (`P`...`F`), per stream.

A record of more than the limit is closed before the part that would exceed it, counted from its
first part: where it is cut depends on its bytes alone, never on how they were read.
"""

from dataclasses import dataclass

from logship.rows.lines import FULL, PARTIAL, Lines


@dataclass(slots=True)
class Record:
    parts: list[int]
    size: int
    unfinished: bool = False


def join(lines: Lines, limit: int) -> tuple[list[Record], list[Record]]:
    """(records of several parts or closed by a limit, records still open): both usually empty."""
    whole: list[Record] = []
    opened: dict[str, Record] = {}
    line = _next_partial(lines, 0)
    while line is not None:
        _take_part(lines, line, limit, opened, whole)
        # With nothing open, lines up to the next partial are rows of their own.
        line = line + 1 if opened else _next_partial(lines, line + 1)
        if line is not None and line >= len(lines.tags):
            break
    return whole, list(opened.values())


def _next_partial(lines: Lines, start: int) -> int | None:
    try:
        return lines.tags.index(PARTIAL, start)
    except ValueError:
        return None


def _take_part(
    lines: Lines, line: int, limit: int, opened: dict[str, Record], whole: list[Record]
) -> None:
    if line in lines.malformed:
        return
    stream, size = lines.streams[line], lines.starts[line + 1] - lines.starts[line]
    record = opened.get(stream)
    if record is not None and record.size + size > limit:
        record.unfinished = True
        whole.append(opened.pop(stream))
        record = None
    if record is not None:
        record.parts.append(line)
        record.size += size
        if lines.tags[line] == FULL:
            whole.append(opened.pop(stream))
    elif lines.tags[line] == PARTIAL:
        opened[stream] = Record([line], size)
