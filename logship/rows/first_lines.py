"""Records that begin at a line of a user's pattern; and what such a pattern may cost.

Lines that do not match belong to the record before. A record whose first line does not match lacks
its beginning: a limit or a timeout closed it before.

A pattern comes from a configuration, from a pod's annotation or from a message of a broker, and
runs on every row. Python's `re` backtracks, and nothing can stop it, so a pattern is held against a
bound before it is used: the ways in which it can match `FIRST_LINE_CHARS` characters, counted from
its parsed form. `(a+)+` has more ways than there is time; `^\\d+-\\d+` has a few thousand.
"""

import re
import warnings
from collections.abc import Collection, Container, Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from re import _parser  # type: ignore[attr-defined]  # `sre_parse` since 3.11; none is public

from logship.rows.runs import Limits, Run, Scan, text_bytes

FIRST_LINE_CHARS = 128
"""How much of a text a pattern sees."""
MAX_PATTERN_CHARS = 512
MAX_WAYS = (FIRST_LINE_CHARS + 1) ** 3
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_GROUPS = ("SUBPATTERN", "ATOMIC_GROUP", "ASSERT", "ASSERT_NOT", "GROUPREF_EXISTS")


class FirstLines:
    reach = 1

    def __init__(self, pattern: re.Pattern[str], limits: Limits) -> None:
        self._pattern, self._limits = pattern, limits

    def none_in(self, firsts: Collection[str], texts: Sequence[str]) -> bool:
        return False

    def may_be_open(self, last: Iterable[str]) -> bool:
        return True

    def scan(self, texts: Sequence[str], ends: Container[int], *, closing: bool) -> Scan:
        firsts = list(
            map(self._pattern.match, texts, repeat(0), repeat(FIRST_LINE_CHARS)),
        )
        runs: list[Run] = []
        start, size = 0, text_bytes(texts[0]) if texts else 0
        for row in range(1, len(texts)):
            more = 1 + text_bytes(texts[row])
            full = size + more > self._limits.max_bytes or row - start >= self._limits.max_rows
            if full or firsts[row] is not None or row - 1 in ends:
                _add(runs, Run(start, row, firsts[start] is None))
                start, size = row, more - 1
            else:
                size += more
        if texts and (closing or len(texts) - 1 in ends):
            _add(runs, Run(start, len(texts), firsts[start] is None))
            start = len(texts)
        return Scan(runs, start)


def _add(runs: list[Run], run: Run) -> None:
    if run.torn or run.stop - run.start > 1:
        runs.append(run)


@lru_cache(maxsize=256)
def first_lines(pattern: str, limits: Limits) -> FirstLines:
    return FirstLines(first_line_pattern(pattern), limits)


@lru_cache(maxsize=1024)
def first_line_pattern(text: str) -> re.Pattern[str]:
    """The compiled pattern. Raises ValueError that names it and what is wrong with it."""
    if not text or len(text) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters, not {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(text)
            ways = _ways(_parser.parse(text))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"the pattern {text!r} is not a regular expression: {error}") from None
    if ways > MAX_WAYS:
        raise ValueError(
            f"the pattern {text!r} can take too long to match: it may have three unbounded repeats "
            "(`*`, `+`), none inside of another"
        )
    if pattern.match(""):
        raise ValueError(f"the pattern {text!r} matches every text, also an empty one")
    return pattern


def _ways(parsed: Iterable[tuple[object, object]]) -> int:
    """In how many ways a sequence can be tried, at most."""
    total = 1
    for op, argument in parsed:
        total = min(total * _ways_of(str(op), argument), MAX_WAYS + 1)
    return total


def _ways_of(op: str, argument: object) -> int:
    if op in _REPEATS and isinstance(argument, tuple):
        least, most = int(argument[0]), min(int(argument[1]), FIRST_LINE_CHARS)
        inner = _ways(argument[2])
        if inner > 1:
            ways: int = sum(inner**n for n in range(least, most + 1))
            return min(ways, MAX_WAYS + 1)
        return max(1, most - least + 1)
    if op == "BRANCH" and isinstance(argument, tuple):
        return sum(map(_ways, argument[1]))
    if op in _GROUPS and isinstance(argument, (tuple, _parser.SubPattern)):
        parts = argument if isinstance(argument, tuple) else (argument,)
        return sum(_ways(part) for part in parts if isinstance(part, _parser.SubPattern)) or 1
    return 1
