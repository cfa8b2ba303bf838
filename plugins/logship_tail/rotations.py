"""Which files are rotations of others. Pure.

A rotation is named by what is put behind the name of the live file: `app.log.1`, `app.log.2.gz`,
`app.log.2026-03-01`, `app.log-20260301.gz`, `app.log.old`. A path is a rotation if cutting such an
ending off leaves a path that the source's globs take too, whether it exists at the moment or not:
logrotate renames first and makes the new file later. So `mail.err` is no rotation of `mail`, and
files named by their day alone (`/logs/app-2026-03-01`, taken by `/logs/app-*`) are no rotations.

A date before the last dot (`app-20260301.log`, logrotate's `extension`) makes a rotation only where
the log without it (`app.log`) has been seen as a file: programs that name their logs by the day,
and perhaps keep a link to the newest, have none.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_MARK = r"(?:[.-]\d[\dT:._+-]*|\.old|\.bak|~)"
_DATE = r"[.-]\d{4}-?[01]\d-?[0-3]\d(?:[-T_.]?\d{2,10})?"
_ENDING = re.compile(rf"{_MARK}?(\.(gz|bz2|xz|zst))?$")
_COMPRESSED = re.compile(r"\.(gz|bz2|xz|zst)$")
_DATED = re.compile(rf"(/[^/]+?){_DATE}(\.[A-Za-z]\w*)(?:\.gz)?$")


@dataclass(frozen=True, slots=True)
class Family:
    """A log: the path of its live file, and the names in its directory that belong to it."""

    live: str
    files: frozenset[str]
    """Names; without the live one where it does not exist."""


Taken = Callable[[str], bool]


def live_path(path: str, taken: Taken, seen: Taken = lambda path: False) -> str | None:
    """The path of the log that this file belongs to, if it belongs to one that is taken.

    `seen`: whether there is, or was, a file of this path that is no link.
    """
    base = _ENDING.sub("", path)
    if base != path and not base.endswith("/") and taken(base):
        return base
    dated = _DATED.sub(r"\1\2", path)
    if dated != path and taken(dated) and seen(dated):
        return dated
    return path if taken(path) and not _COMPRESSED.search(path) else None


def lone_path(path: str, taken: Taken, seen: Taken = lambda path: False) -> str | None:
    """The same where no file is a rotation of another."""
    return path if taken(path) and not _COMPRESSED.search(path) else None


def rotated_names(name: str) -> str:
    """A regex (fullmatch) of what a live file of this name is rotated to, as far as we can read."""
    stem, dot, extension = name.rpartition(".")
    behind = rf"{re.escape(name)}(?:{_MARK}(?:\.gz)?|\.gz)"
    if not stem or not re.fullmatch(r"[A-Za-z]\w*", extension):
        return behind
    return rf"{behind}|{re.escape(stem)}{_DATE}{re.escape(dot + extension)}(?:\.gz)?"


def families(paths: Iterable[str], live_of: Callable[[str], str | None]) -> list[Family]:
    """The logs that the paths of files belong to, in the order of their paths."""
    logs: dict[str, set[str]] = {}
    for path in paths:
        live = live_of(path)
        if live is not None:
            logs.setdefault(live, set()).add(path.rsplit("/", 1)[1])
    return [Family(live, frozenset(names)) for live, names in sorted(logs.items())]
