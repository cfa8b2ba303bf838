"""Which rows of one stream are one stack trace: runs the tables of `languages`.

All languages that a row could begin a trace of are tried at once, and the longest record wins; what
was borrowed beyond it is looked at again as if nothing had come before. So a record depends on its
own rows and the few that follow it, never on what is further away, and it is found again in any
block that has all of it.

Rows that begin with white space or `#` are the landmarks (`HINTS`): a record goes on for at most
`REACH` rows without one, and none is found without one. So ordinary rows cost one look at their
first character, and only the last rows of a stream can belong to a record that is still open.
"""

from bisect import bisect_left
from collections.abc import Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from operator import itemgetter

from logship.rows.languages import LANGUAGES, ORDINARY
from logship.rows.runs import Limits, Run, Scan, text_bytes
from logship.rows.tables import Language

HINTS = frozenset(" \t\r\n\v\f#")
_PANIC = "thread '"
"""A Rust panic begins so. It is a landmark too: it may have no indented line."""
_SECOND_CHAR = itemgetter(slice(1, 2))
REACH = 12
LOOK_CHARS = 2048
"""How much of a text the patterns see."""


@dataclass(slots=True)
class _Path:
    """One language's reading of a record."""

    language: Language
    state: str
    orphan: bool
    sure: int = 1
    """How many rows are certain."""
    sure_state: str = ""

    def take(self, text: str, rows: int) -> bool:
        """Whether the text is the record's row number `rows`, counted from 1."""
        for rule in self.language.rules.get(self.state, ()):
            if rule.pattern.match(text, 0, LOOK_CHARS):
                self.state = rule.state
                if rule.sure:
                    self.sure, self.sure_state = rows, rule.state
                return True
        return False

    @property
    def goes_on(self) -> bool:
        return self.state in self.language.rules or self.state in self.language.loose

    @property
    def torn(self) -> bool:
        return self.orphan or self.sure_state in self.language.broken


def _is_landmark(text: str) -> bool:
    return text[:1] in HINTS or text.startswith(_PANIC)


class Traces:
    reach = REACH + 1

    def __init__(self, languages: tuple[Language, ...], limits: Limits) -> None:
        self._languages, self._limits = languages, limits
        self._literals = {start.literal for found in languages for start in found.starts}
        self._panics = any(language.name == "rust" for language in languages)

    def none_in(self, firsts: Collection[str], texts: Sequence[str]) -> bool:
        """Whether no record of several rows can be in these; `firsts`: their first characters."""
        if not HINTS.isdisjoint(firsts):
            return False
        if "t" not in firsts or not self._panics or "h" not in set(map(_SECOND_CHAR, texts)):
            return True
        return True not in map(str.startswith, texts, repeat(_PANIC))

    def may_be_open(self, last: Iterable[str]) -> bool:
        """Never wrongly False: whether a record may be open after these, the stream's last rows."""
        texts = [*last][::-1]
        if any(map(_is_landmark, texts)):
            return True
        return self.scan(texts, (), closing=False).open_at < len(texts)

    def scan(self, texts: Sequence[str], ends: Container[int], *, closing: bool) -> Scan:
        """`ends`: rows after which nothing goes on. `closing`: nor after the last."""
        runs: list[Run] = []
        hints = [n for n, text in enumerate(texts) if _is_landmark(text)]
        count = len(texts)
        tail = count if closing else count - REACH - 1
        at = 0
        while at < count:
            near = bisect_left(hints, at)
            ahead = hints[near] - REACH if near < len(hints) else count
            at = max(at, min(ahead, tail))
            if at >= count:
                break
            run, is_open = self._record(texts, at, ends)
            if is_open and not closing:
                return Scan(runs, at)
            if run.torn or run.stop - at > 1:
                runs.append(run)
            at = run.stop
        return Scan(runs, count)

    def _record(self, texts: Sequence[str], at: int, ends: Container[int]) -> tuple[Run, bool]:
        """(the record that begins with this row, whether more rows could make it longer)."""
        paths = self._paths(texts[at])
        alive, size, landmark = paths, text_bytes(texts[at]), at
        for row in range(at + 1, len(texts)):
            text = texts[row]
            size += 1 + text_bytes(text)
            rows = row - at + 1
            if row - 1 in ends or size > self._limits.max_bytes or rows > self._limits.max_rows:
                alive = []
                break
            landmark = row if _is_landmark(text) else landmark
            if row - landmark > REACH:
                alive = []
                break
            alive = self._further(alive, text, rows)
            if not alive:
                break
        best = max(paths, key=lambda path: path.sure, default=None)
        is_open = bool(alive) and len(texts) - 1 not in ends
        if best is None:
            return Run(at, at + 1, torn=False), False
        torn = best.torn and (best.sure > 1 or all(path.orphan for path in paths))
        return Run(at, at + best.sure, torn), is_open

    def _paths(self, text: str) -> list[_Path]:
        """The readings of a text as a record's first."""
        present = {literal for literal in self._literals if literal in text}
        if not present or text.startswith("{"):  # a JSON object is whole
            return []
        paths = []
        for language in self._languages:
            for start in language.starts:
                if start.literal in present and start.fits(text, LOOK_CHARS):
                    paths.append(_Path(language, start.state, start.orphan))
                    break
        return paths

    def _further(self, alive: Sequence[_Path], text: str, rows: int) -> list[_Path]:
        """The readings that can take the text, as a line of theirs or as one of a message."""
        took, loose = [], []
        for path in alive:
            if path.take(text, rows):
                took.append(path)
            elif path.state in path.language.loose:
                loose.append(path)
        if loose and not self._begins_entry(text):
            took += loose
        return [path for path in took if path.goes_on and rows - path.sure <= REACH]

    def _begins_entry(self, text: str) -> bool:
        if ORDINARY.match(text, 0, LOOK_CHARS):
            return True
        return text[:1] not in HINTS and bool(self._paths(text))


@lru_cache(maxsize=256)
def traces(names: tuple[str, ...], limits: Limits) -> Traces:
    return Traces(tuple(LANGUAGES[name] for name in names), limits)
