"""Records that begin at a line of a user's pattern.

Lines that do not match belong to the record before. A record whose first line does not match lacks
its beginning: a limit or a timeout closed it before.

A pattern comes from a configuration, from a pod's annotation or from a message of a broker, and
runs on every row: it must not be able to stop the agent. RE2 matches in time linear in the text,
whatever the pattern (https://github.com/google/re2/wiki/WhyRE2); what it has no linear way for
(backreferences, lookaround) it refuses.
"""

from collections.abc import Collection, Container, Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from logship.rows.runs import Limits, Run, Scan, text_bytes

FIRST_LINE_CHARS = 128
"""How much of a text a pattern sees."""
MAX_PATTERN_CHARS = 512
MAX_PROGRAM_BYTES = 1024 * 1024
"""What a compiled pattern may take."""


class Pattern(Protocol):
    """A set of one pattern: asking it takes a third of what a match object costs."""

    def Match(self, text: str) -> list[int] | None: ...


class FirstLines:
    reach = 1

    def __init__(self, pattern: Pattern, limits: Limits) -> None:
        self._pattern, self._limits = pattern, limits

    def none_in(self, firsts: Collection[str], texts: Sequence[str]) -> bool:
        return False

    def may_be_open(self, last: Iterable[str]) -> bool:
        return True

    def scan(self, texts: Sequence[str], ends: Container[int], *, closing: bool) -> Scan:
        firsts = [self._pattern.Match(text[:FIRST_LINE_CHARS]) for text in texts]
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
def first_line_pattern(text: str) -> Pattern:
    """The compiled pattern. Raises ValueError that names it and what is wrong with it."""
    import re2  # only an agent that has such patterns has it in memory

    if not text or len(text) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern has 1 to {MAX_PATTERN_CHARS} characters, not {len(text)}")
    options = re2.Options()
    options.log_errors, options.max_mem = False, MAX_PROGRAM_BYTES
    try:
        matches_nothing = re2.compile(text, options).match("") is not None
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else error
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise ValueError(f"the pattern {text!r} is none that RE2 can match: {said}") from None
    if matches_nothing:
        raise ValueError(f"the pattern {text!r} matches every text, also an empty one")
    compiled = re2.Set.MatchSet(options)
    compiled.Add(text)
    compiled.Compile()
    found: Pattern = compiled
    return found
