"""Rows joined to multi-line records: a layer over rows, after the runtime's parts are joined.

Records are joined per stream; rows of the other stream pass. A row that is malformed passes too,
and one that is cut or unfinished ends its record. A joined row has the address and the time of its
first row, their texts with newlines between them, and stands where its last row stood.

Whatever is open at the end of a finished block was closed by force: by a timeout, or as the log
ended. That alone says nothing bad: most traces are the last that was said for a while. What shows
that a record was torn is what comes then, a row that begins in the middle of one: this is marked
unfinished, as is a record that breaks off where its language goes on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from logship.rows.address import Generation, Mark
from logship.rows.first_lines import first_line_pattern, first_lines
from logship.rows.languages import LANGUAGES
from logship.rows.lines import STDERR, STDOUT
from logship.rows.rows import Rows
from logship.rows.runs import Joiner, Limits
from logship.rows.traces import traces

JOIN_ROWS = 1000
JOIN_WAIT_SECS = 1.0
_FIRST_CHAR = itemgetter(slice(0, 1))


@dataclass(frozen=True, slots=True)
class Joins:
    """Which rows are joined: traces of languages, or records that begin at a pattern.

    Raises ValueError for what does not exist, and for a pattern that cannot be used.
    """

    languages: tuple[str, ...] = ()
    """Keys of `languages.LANGUAGES`."""
    first_line: str = ""
    """A regular expression that the beginning of a record's first row matches."""
    max_rows: int = JOIN_ROWS
    wait_secs: float = JOIN_WAIT_SECS
    """How long a record stays open without another row. Of no meaning for a finished block."""

    def __post_init__(self) -> None:
        if bool(self.languages) == bool(self.first_line):
            raise ValueError("rows are joined by `languages` or by `first_line`, one of them")
        for name in self.languages:
            if name not in LANGUAGES:
                raise ValueError(f"{name!r} is not one of {', '.join(LANGUAGES)}")
        if self.first_line:
            first_line_pattern(self.first_line)

    def joiner(self, max_bytes: int) -> Joiner:
        limits = Limits(max_bytes, self.max_rows)
        if self.first_line:
            return first_lines(self.first_line, limits)
        return traces(self.languages, limits)


class Joined(NamedTuple):
    rows: Rows
    groups: list[list[int]]
    """The joined rows, by their numbers before."""
    opened: list[int]
    """Rows of records that may go on, by their numbers before; they are not in `rows`."""


def joined(
    rows: Rows, joins: Joins, max_bytes: int, *, closing: Collection[str] = (STDOUT, STDERR)
) -> Joined:
    """Rows with records in place of their parts. `closing`: streams on which nothing stays open."""
    joiner = joins.joiner(max_bytes)
    texts = rows.texts
    closed = len(closing) == 2
    if closed and joiner.none_in(set(map(_FIRST_CHAR, texts)), texts):
        return Joined(rows, [], [])
    groups: list[list[int]] = []
    torn: list[bool] = []
    opened: list[int] = []
    for stream in (STDOUT, STDERR):
        numbers = _of_stream(rows, stream)
        ends = _ends(rows, numbers)
        scan = joiner.scan([texts[n] for n in numbers], ends, closing=stream in closing)
        groups += [list(numbers[run.start : run.stop]) for run in scan.runs]
        torn += [run.torn for run in scan.runs]
        opened += numbers[scan.open_at :]
    if not groups and not opened:
        return Joined(rows, [], [])
    return Joined(_fold(rows, groups, torn, opened), groups, opened)


def _of_stream(rows: Rows, stream: str) -> Sequence[int]:
    malformed = {row for row, mark in rows.marks.items() if mark.malformed}
    if stream == STDERR and stream not in rows.streams:
        return ()
    return [n for n, of in enumerate(rows.streams) if of == stream and n not in malformed]


def _ends(rows: Rows, numbers: Sequence[int]) -> Collection[int]:
    """Places in `numbers` of rows after which nothing goes on."""
    marked = {row for row, mark in rows.marks.items() if mark.unfinished or mark.cut}
    return {place for place, n in enumerate(numbers) if n in marked} if marked else ()


def _fold(
    rows: Rows, groups: Sequence[Sequence[int]], torn: Sequence[bool], opened: Sequence[int]
) -> Rows:
    texts, times, offsets = list(rows.texts), list(rows.times), list(rows.offsets)
    marks, elsewhere = dict(rows.marks), dict(rows.elsewhere)
    gone = set(opened)
    for group, is_torn in zip(groups, torn, strict=True):
        first, last = group[0], group[-1]
        texts[last] = "\n".join(texts[row] for row in group)
        times[last], offsets[last] = times[first], offsets[first]
        _begin_at(elsewhere, first, last)
        if is_torn or any(row in marks for row in group):
            marks[last] = Mark(unfinished=True, cut=any(rows.mark(row).cut for row in group))
        gone.update(group[:-1])
    changed = Rows(
        rows.generation, offsets, times, rows.streams, texts, None, marks, elsewhere,
        rows.given_ids,
    )  # fmt: skip
    return changed.without(gone)


def _begin_at(elsewhere: dict[int, Generation], first: int, last: int) -> None:
    began = elsewhere.get(first)
    elsewhere.pop(last, None)
    if began is not None:
        elsewhere[last] = began
