"""Finds the physical lines of a block, strictly.

A format gets a block of whole lines (the last one may lack its newline) and gives columns. The fast
way is a few calls into C over the whole block; it is believed only when every line began as a row
does, so a line that is not of the format can never swallow or lend bytes to a neighbour. Otherwise
every line is looked at alone, and one that does not fit becomes a row of its own: its whole text,
marked.

cri: `<RFC3339Nano> <stdout|stderr> <P|F>[:more tags] <content>\\n` (the CRI logging format of
kubernetes; containerd cuts trailing zeros of the time, conmon writes a numeric zone).
docker: one JSON object a line (json-file), partial when `log` lacks its newline.
plain: any text; a leading RFC 3339 time is the row's time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, repeat
from operator import add
from typing import TYPE_CHECKING, NamedTuple

import orjson

from logship.rows import kernel

if TYPE_CHECKING:
    from logship.rows._kernel import Table

STDOUT, STDERR = "stdout", "stderr"
PARTIAL, FULL = "P", "F"
_STREAMS = (STDOUT, STDERR)
DOCKER_LINE_BYTES = 1024 * 1024
"""A json-file line is 16 KiB of log with at most 6 bytes a byte; what is longer is hostile."""


class Lines(NamedTuple):
    """Columns, one entry a physical line."""

    starts: Sequence[int]
    """Number of the first byte of each line; one entry more: where the last one ends."""
    times: Sequence[str]
    """RFC 3339; empty where the line has none."""
    streams: Sequence[str]
    tags: Sequence[str]
    """`P` (more of this record follows on its stream) or `F`."""
    texts: Sequence[str]
    malformed: frozenset[int] = frozenset()
    table: "Table | None" = None
    """What the compiled kernel found: the columns show it."""


Format = Callable[[bytes, int], Lines]
"""(block, the number its first byte has) -> its lines."""

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_CRI_HEAD = re.compile(rf"({TIME}) (stdout [PF]|stderr [PF]) ", re.ASCII)
_NEXT_CRI_HEAD = re.compile("\n" + _CRI_HEAD.pattern, re.ASCII)
_STREAM_OF = {f"{stream} {tag}": stream for stream in _STREAMS for tag in (PARTIAL, FULL)}
_TAG_OF = {f"{stream} {tag}": tag for stream in _STREAMS for tag in (PARTIAL, FULL)}
_CRI_LINE = re.compile(
    rf"({TIME}) (stdout|stderr) ([PF])(?::[^ \n]*)? ([^\n]*)\n?".encode(), re.ASCII
)
_RFC3339 = re.compile(TIME, re.ASCII)
_LEADING_TIME = re.compile(rf"\[?({TIME.replace('T', '[T ]')})(?=[\s\],;|]|$)", re.ASCII)


def cri(block: bytes, at: int = 0) -> Lines:
    """Lines as containerd and CRI-O write them."""
    if (table := kernel.scan(block)) is not None:
        return lines_of(table, at)
    if not block.endswith(b"\n"):
        return _cri_each(block, at)
    text = str(memoryview(block)[:-1], "utf-8", "replace")
    pieces = _NEXT_CRI_HEAD.split(text)  # the first line; time, head and text of each other
    first = _CRI_HEAD.match(pieces[0])
    if first is None or len(pieces) // 3 + 1 != line_count(block):
        return _cri_each(block, at)
    times, heads = [first[1], *pieces[1::3]], [first[2], *pieces[2::3]]
    texts = [pieces[0][first.end() :], *pieces[3::3]]
    if not dates_exist(times):
        return _cri_each(block, at)
    ascii_only = len(text) == len(block) - 1
    starts = _cri_starts(times, texts, at) if ascii_only else _line_starts(block, at)
    return Lines(starts, times, _each(_STREAM_OF, heads), _each(_TAG_OF, heads), texts)


def _cri_starts(times: Sequence[str], texts: Sequence[str], at: int) -> list[int]:
    """As `_line_starts`, of ASCII."""
    sizes = map(add, map(len, times), map(len, texts))
    around = repeat(11)  # 6 stream, 3 spaces, tag, \n
    return list(accumulate(map(add, sizes, around), initial=at))


def _each(values: Mapping[str, str], heads: Sequence[str]) -> Sequence[str]:
    """What each of these stands for; nearly always they are all the same."""
    if heads.count(heads[0]) == len(heads):
        return (values[heads[0]],) * len(heads)
    return tuple(map(values.__getitem__, heads))


def lines_of(table: "Table", at: int) -> Lines:
    """What the compiled kernel has found."""
    column = table.column
    starts, times, streams = column("starts", at), column("times"), column("streams")
    return Lines(starts, times, streams, column("tags"), column("texts"), table=table)


def dates_exist(times: Sequence[str]) -> bool:
    """Whether no time is like the 99th of May. What the least and the greatest share, all share."""
    low, high = min(times), max(times)
    minutes = {low[:16]} if low[:16] == high[:16] else {time[:16] for time in times}
    try:
        for minute in minutes:
            datetime.fromisoformat(minute)
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """Whether this is an RFC 3339 time that exists, with at most nanoseconds."""
    return _RFC3339.fullmatch(text) is not None and dates_exist((text,))


def line_count(block: bytes) -> int:
    """Lines; the last may lack its newline."""
    newlines = len(block) - len(block.replace(b"\n", b""))  # a quarter of the time of `count`
    return newlines + (block != b"" and not block.endswith(b"\n"))


def _line_starts(block: bytes, at: int) -> list[int]:
    """Where each line starts, and the end of the last; its newline may be missing."""
    pieces = block.split(b"\n")
    starts = list(accumulate(map((1).__add__, map(len, pieces)), initial=at))
    if pieces[-1]:
        starts[-1] -= 1
        return starts
    return starts[:-1]


def has_line_of(size: int, block: bytes) -> bool:
    """Whether a line has so many bytes or more. Such a one fills a whole half of the size, wherever
    it begins; so the lines of nearly every block need not be looked at.
    """
    half = max(1, (size - 1) // 2)
    if all(block.find(b"\n", n, n + half) >= 0 for n in range(0, len(block) - half, half)):
        return False
    return max(map(len, block.split(b"\n"))) >= size


def each_line(block: bytes, at: int) -> tuple[list[int], list[bytes]]:
    """(starts as in `Lines`, the lines without their newlines)."""
    pieces = block.split(b"\n")
    starts = _line_starts(block, at)
    return starts, pieces[: len(starts) - 1]


def _cri_each(block: bytes, at: int) -> Lines:
    starts, pieces = each_line(block, at)
    malformed = set()
    times, streams, tags, texts = [], [], [], []
    for number, piece in enumerate(pieces):
        match = _CRI_LINE.fullmatch(piece)
        head = [part.decode() for part in match.group(1, 2, 3)] if match else []
        if match is None or not dates_exist(head[:1]):
            malformed.add(number)
            head, content = ["", STDOUT, FULL], piece
        else:
            content = match[4]
        times.append(head[0])
        streams.append(head[1])
        tags.append(head[2])
        texts.append(content.decode(errors="replace"))
    return Lines(starts, times, streams, tags, texts, frozenset(malformed))


def cri_content(line: bytes) -> bytes:
    """The bytes an application wrote, of one CRI line (the whole line if it is none)."""
    match = _CRI_LINE.fullmatch(line)
    return match[4] if match else line.removesuffix(b"\n")


def docker(block: bytes, at: int = 0) -> Lines:
    """Lines of Docker's json-file driver."""
    starts, pieces = each_line(block, at)
    rows = [_docker_line(piece) for piece in pieces]
    malformed = {number for number, row in enumerate(rows) if row is None}
    columns = [
        row or ("", STDOUT, FULL, piece.decode(errors="replace"))
        for row, piece in zip(rows, pieces, strict=True)
    ]
    times, streams, tags, texts = zip(*columns, strict=True) if columns else ((), (), (), ())
    return Lines(starts, times, streams, tags, texts, frozenset(malformed))


def _docker_line(line: bytes) -> tuple[str, str, str, str] | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(entry, dict):
        return None
    text, stream, time = entry.get("log"), entry.get("stream"), entry.get("time")
    if not (isinstance(text, str) and stream in _STREAMS and isinstance(time, str)):
        return None
    if not is_time(time):
        return None
    full = text.endswith("\n")
    return time, stream, FULL if full else PARTIAL, text[:-1] if full else text


def plain(block: bytes, at: int = 0) -> Lines:
    """Lines of any text file: no stream of their own, a time if they begin with one."""
    starts, pieces = each_line(block, at)
    texts = [piece.decode(errors="replace") for piece in pieces]
    times = [_leading_time(text) for text in texts]
    count = len(texts)
    return Lines(starts, times, (STDOUT,) * count, (FULL,) * count, texts)


def _leading_time(text: str) -> str:
    match = _LEADING_TIME.match(text)
    if match is None:
        return ""
    time = match[1].replace(" ", "T", 1)
    return time if dates_exist((time,)) else ""


FORMATS: dict[str, Format] = {"cri": cri, "docker": docker, "plain": plain}
