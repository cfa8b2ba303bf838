"""Small state machines of texts, written as tables.

A rule takes a text from one of some states to another. `sure` says that all lines up to this one
are one record; lines after the last sure one are only borrowed, and given back if nothing confirms
them. In a `loose` state any line that does not look like the beginning of a log entry may be
borrowed: the further lines of a message. A record that ends in a `broken` state lacks its end.

A table has a row a line, cells between ` ~ `. `<NAME>` stands for a pattern that several need.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple


class Start(NamedTuple):
    """How a record begins; `orphan`: in its middle, because its beginning was closed before."""

    literal: str
    """Cheap to look for; no text without it is found."""
    pattern: re.Pattern[str]
    state: str
    orphan: bool = False

    def fits(self, text: str, chars: int) -> bool:
        """Whether a record can begin with this text, of which so many characters count."""
        if self.pattern.pattern.startswith("^"):  # `search` would try it everywhere
            return self.pattern.match(text, 0, chars) is not None
        return self.pattern.search(text, 0, chars) is not None


class Rule(NamedTuple):
    pattern: re.Pattern[str]
    state: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Language:
    name: str
    starts: tuple[Start, ...]
    rules: dict[str, tuple[Rule, ...]]
    """Per state, what may come next; the first that matches counts."""
    loose: frozenset[str]
    broken: frozenset[str]


_EXCEPTION = r"(?:Exception|Error|Throwable|Failure|Fault)\b"
_MESSAGE = rf"{_EXCEPTION}[^:]{{0,80}}:(?:\s|$)"
_AT = r"[\t ]+at [^(]+\(.*\)"
_PLACE = r"(?::\d+:\d+|<anonymous>|\(native\)|\(index \d+\))\)?,?"
_BLANK = r"\s*$"
_NAMED = {
    "<EXCEPTION>": _EXCEPTION,
    "<MESSAGE>": _MESSAGE,
    "<AT>": _AT,
    "<PLACE>": _PLACE,
    "<BLANK>": _BLANK,
}


def language(
    name: str,
    starts: str,
    rules: str,
    loose: str = "",
    broken: str = "",
) -> Language:
    """A language from its tables.

    `starts`: literal (`_` is a space) ~ pattern ~ state [~ orphan].
    `rules`: states before ~ pattern ~ state, with `!` where that is sure.
    """
    table: dict[str, list[Rule]] = {}
    for states, pattern, state in _cells(rules):
        rule = Rule(_pattern(pattern), state.removesuffix("!"), state.endswith("!"))
        for before in states.split():
            table.setdefault(before, []).append(rule)
    return Language(
        name,
        tuple(
            Start(literal.replace("_", " "), _pattern(pattern), state, bool(orphan))
            for literal, pattern, state, *orphan in _cells(starts)
        ),
        {state: tuple(found) for state, found in table.items()},
        frozenset(loose.split()),
        frozenset(broken.split()),
    )


def _cells(table: str) -> list[list[str]]:
    rows = (line.strip() for line in table.splitlines())
    return [[cell.strip() for cell in row.split(" ~ ")] for row in rows if row]


def _pattern(text: str) -> re.Pattern[str]:
    for name, pattern in _NAMED.items():
        text = text.replace(name, pattern)
    return re.compile(text, re.ASCII)
