"""What is wrong with a configuration, said so that a stranger can act on it.

All problems of a file are collected before any is shown. Each has its place in the file, the path
of the option, what is wrong and, where we know it, what to do. A value that came from the
environment is never shown: problems quote the file as it is written, where it reads `${NAME}`.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

_SHOWN_COLUMNS = 100
_LONG_ENOUGH = 8
LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML counts lines


class Mark(msgspec.Struct, frozen=True):
    """A place in the file, counted from 1; `width` characters of the line are meant."""

    line: int
    column: int
    width: int = 1


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    file: str
    mark: Mark
    path: str
    message: str
    hint: str = ""
    line_text: str = ""
    level: Literal["error", "warning"] = "error"


class ConfigErrors(Exception):
    """The configuration cannot be used; a person must act."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(render(self.problems))


class Report:
    """Collects the problems of one file. `secrets` maps environment values to their names."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.secrets: dict[str, str] = {}
        self._lines = LINE_BREAK.split(text)
        self._problems: list[Problem] = []

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._problems, key=lambda p: (p.mark.line, p.mark.column)))

    @property
    def failed(self) -> bool:
        return any(problem.level == "error" for problem in self._problems)

    def error(self, mark: Mark, path: str, message: str, hint: str = "") -> None:
        self._add(mark, path, message, hint, "error")

    def warning(self, mark: Mark, path: str, message: str, hint: str = "") -> None:
        self._add(mark, path, message, hint, "warning")

    def foreign(self, mark: Mark, path: str, message: str, hint: str = "") -> None:
        """An error whose text a plugin wrote; it may contain values from the environment."""
        for value in sorted(self.secrets, key=len, reverse=True):
            message = f"${{{self.secrets[value]}}}".join(_standing(value).split(message))
        self._add(mark, path, message, hint, "error")

    def _add(
        self, mark: Mark, path: str, message: str, hint: str, level: Literal["error", "warning"]
    ) -> None:
        inside = 1 <= mark.line <= len(self._lines)
        problem = Problem(
            file=self.file,
            mark=mark,
            path=path,
            message=message,
            hint=hint,
            line_text=self._lines[mark.line - 1] if inside else "",
            level=level,
        )
        if problem not in self._problems:  # an aliased node is read once per use
            self._problems.append(problem)


def _standing(value: str) -> re.Pattern[str]:
    """Finds the value. A short one counts only as a word of its own: `n` is in most of ours."""
    found = re.escape(value)
    return re.compile(found if len(value) >= _LONG_ENOUGH else rf"(?<!\w){found}(?!\w)")


def render(problems: Iterable[Problem]) -> str:
    """Problems as a compiler prints them: place, path, message, the line, a hint."""
    return "\n\n".join(_render_one(problem) for problem in problems)


def _render_one(problem: Problem) -> str:
    mark = problem.mark
    path = f"{problem.path}: " if problem.path else ""
    lines = [f"{problem.file}:{mark.line}:{mark.column}: {problem.level}: {path}{problem.message}"]
    if problem.line_text.strip():
        lines += _quote(problem.line_text, mark)
    if problem.hint:
        lines.append(f"  hint: {problem.hint}")
    return "\n".join(lines)


def _quote(text: str, mark: Mark) -> list[str]:
    """The line and a row of ^ under the place; a long line is cut around the place."""
    start = max(0, mark.column - _SHOWN_COLUMNS // 2) if len(text) > _SHOWN_COLUMNS else 0
    shown = text[start : start + _SHOWN_COLUMNS]
    # Tabs and control characters would shift or garble the row of ^.
    shown = "".join(char if char.isprintable() else " " for char in shown).rstrip()
    number = f"{mark.line:5}"
    offset = mark.column - 1 - start
    width = max(1, min(mark.width, len(shown) - offset))
    return [f"{number} | {shown}", f"{' ' * len(number)} | {' ' * offset}{'^' * width}"]


def advise(*sentences: str) -> str:
    """Sentences as one hint, without the empty ones."""
    first, *rest = [s for s in sentences if s] or [""]
    return " ".join([first, *(s[0].upper() + s[1:] for s in rest)])


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?` where a known word is near, otherwise nothing."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near is not None else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    folded = {_fold(name): name for name in sorted(known)}
    near = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


def listing(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
