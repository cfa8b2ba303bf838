"""Globs of paths: which directories must be read, and which paths fit.

`*` and `?` stay within a name and pass over names that begin with a dot, as in a shell; `[a-z]` and
`[!a-z]` are sets; `**` as a whole name is any number of directories. A glob has to name at least
one directory before its first wildcard: that is where looking begins, and where links may lead.
Paths are absolute texts. Pure.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_WILD = re.compile(r"[*?\[]")
_PIECE = re.compile(r"\[!?[^\]/][^\]/]*\]|.", re.DOTALL)

ListDirectories = Callable[[str], Sequence[str]]
"""The names of the directories in a directory."""


@dataclass(frozen=True)
class Glob:
    text: str
    prefix: str = field(init=False)
    """The directory before the first wildcard; for a path without one, the file's directory."""
    parts: tuple[str, ...] = field(init=False)
    """The names after the prefix, of which at least one is there."""

    def __post_init__(self) -> None:
        """Raises ValueError with what to do."""
        if not self.text.startswith("/"):
            raise ValueError(f"write {self.text!r} as an absolute path, from / on")
        names = [name for name in self.text.split("/") if name]
        if any(name in (".", "..") for name in names):
            raise ValueError(f"write {self.text!r} without . and ..")
        if names[-1:] == ["**"]:
            names.append("*")
        fixed = next((i for i, name in enumerate(names) if _WILD.search(name)), len(names) - 1)
        fixed = min(fixed, len(names) - 1)
        if fixed < 1:
            raise ValueError(f"{self.text!r} needs a directory before its first wildcard")
        object.__setattr__(self, "prefix", "/" + "/".join(names[:fixed]))
        object.__setattr__(self, "parts", tuple(names[fixed:]))
        try:
            self.matcher()
        except re.error as error:
            raise ValueError(f"{self.text!r} has a set that makes no sense: {error}") from None

    def matcher(self, prefix: str | None = None) -> re.Pattern[str]:
        """Fits whole paths (fullmatch); with another prefix, the same below that."""
        middle = "".join(
            "(?:[^/.][^/]*/)*" if part == "**" else f"{_name(part)}/" for part in self.parts[:-1]
        )
        return re.compile(
            f"{re.escape(prefix or self.prefix)}/{middle}{_name(self.parts[-1])}", re.DOTALL
        )

    def directories(self, list_: ListDirectories) -> Iterator[str]:
        """Existing directories whose files may fit; some may come twice."""
        yield from _walk(self.prefix, self.parts[:-1], list_)


def _name(part: str) -> str:
    """A regex of one name."""
    regex = "".join(map(_piece, _PIECE.findall(part)))
    return regex if part.startswith(".") else rf"(?!\.){regex}"


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) == 1:
        return re.escape(piece)
    inner = re.sub(r"[\\\[\]&~|^]", r"\\\g<0>", piece[1:-1].removeprefix("!"))
    return f"(?!/)[{'^' if piece[1] == '!' else ''}{inner}]"


def _walk(
    directory: str, parts: tuple[str, ...], list_directories: ListDirectories
) -> Iterator[str]:
    if not parts:
        yield directory
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        yield from _walk(directory, rest, list_directories)
    fits = re.compile(_name("*" if first == "**" else first), re.DOTALL).fullmatch
    below = parts if first == "**" else rest
    for name in list_directories(directory):
        if fits(name):
            yield from _walk(f"{directory}/{name}", below, list_directories)
