"""The logs that globs take: which files there are, and which belong together.

Everything is one place: globs may overlap and a rotation may come before its log. A link is
followed only into the directories that the globs name before their wildcards, or into `roots`; a
link to a file that is taken anyway is no log of its own.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from logship.api import Context, Cutting, LogFile
from logship_tail.complaints import Complaints
from logship_tail.globs import Glob
from logship_tail.rotations import Family, families, live_path, lone_path
from logship_tail.sightings import Sighting, Snapshot
from logship_tail.watching import Watcher

EVERYWHERE = ""
MAX_DIRECTORIES = 10_000


@dataclass(frozen=True, slots=True)
class FileTree:
    """What is wanted, and how it is read."""

    globs: tuple[Glob, ...]
    exclude: tuple[Glob, ...]
    cutting: Cutting
    rotated: bool
    roots: tuple[str, ...]


class FileScanner:
    """The `Scanner` of the globs."""

    def __init__(
        self, tree: FileTree, watcher: Watcher, context: Context, complaints: Complaints
    ) -> None:
        self._tree = tree
        self._watcher = watcher
        self._context = context
        self._disk = context.world.disk
        self._complaints = complaints
        self._wanted = _any_of(tree.globs)
        self._unwanted = _any_of(tree.exclude)

    def place(self, path: str) -> str | None:
        return None

    def places(self) -> Iterable[str]:
        return (EVERYWHERE,)

    def look(self, place: str) -> Snapshot:
        walk = _Walk(self)
        paths = [
            f"{directory}/{name}"
            for directory in dict.fromkeys(
                found for glob in self._tree.globs for found in glob.directories(walk.directories)
            )
            for name in walk.files(directory)
        ]
        live_of = live_path if self._tree.rotated else lone_path
        logs = families(paths, lambda path: live_of(path, self.taken))
        extended = {base for log in logs for base in _bases(log.live)}
        roots = self._roots()
        seen = [self._sighting(log, extended, walk, roots) for log in logs if self._names_fit(log)]
        return {log.key: log for log in seen}

    def admit(self, seen: Sighting) -> LogFile | None:
        log = seen.log
        path = f"{log.directory}/{log.name}"
        if not any(name == log.name or name.startswith(f"{log.name}.") for name, _ in seen.files):
            names = ", ".join(sorted(name for name, _ in seen.files))
            self._complaints.say(
                "a rotated file without its log is not read",
                f"{names} (of {path}, which does not exist)",
                "if it is a log of its own, set `rotated: false`",
            )
            return None
        target = self._disk.realpath(path)
        if target == f"{self._disk.realpath(log.directory)}/{log.name}":
            return log
        if self._really_taken(target):
            return None
        if not any(target.startswith(root.rstrip("/") + "/") for root in log.roots):
            self._complaints.say(
                "a link is not followed", f"{path!r} leads to {target!r}", "see `roots`"
            )
            return None
        return log

    def _really_taken(self, target: str) -> bool:
        """Whether a path without links is one that the globs reach, by links or not."""
        globs = [(glob, self._disk.realpath(glob.prefix)) for glob in self._tree.globs]
        return any(glob.matcher(prefix).fullmatch(target) for glob, prefix in globs)

    def taken(self, path: str) -> bool:
        return self._wanted.fullmatch(path) is not None and not self._unwanted.fullmatch(path)

    def list(self, directory: str) -> tuple[list[str], list[tuple[str, int]]]:
        """(names of directories, names and inodes of files); watched from now on."""
        self._watcher.watch(directory)
        entries = self._disk.scan(directory)
        files = [
            (entry.name, entry.inode)
            for entry in entries
            if not entry.is_dir and not entry.name.endswith(".tmp")
        ]
        return [entry.name for entry in entries if entry.is_dir], files

    def too_many(self) -> None:
        self._complaints.say(
            "too many directories; the others are not looked at", f"more than {MAX_DIRECTORIES}"
        )

    def _names_fit(self, log: Family) -> bool:
        try:
            log.live.encode()
        except UnicodeEncodeError:
            self._complaints.say("a file's name is not UTF-8; it is not read", repr(log.live))
            return False
        return True

    def _roots(self) -> tuple[str, ...]:
        allowed = (*(glob.prefix for glob in self._tree.globs), *self._tree.roots)
        return tuple(dict.fromkeys(map(self._disk.realpath, allowed)))

    def _sighting(
        self, log: Family, extended: set[str], walk: "_Walk", roots: tuple[str, ...]
    ) -> Sighting:
        directory, name = log.live.rsplit("/", 1)
        inodes = walk.files(directory)
        # The engine takes every `name.<anything>` for a rotation; here one is a log of its own.
        rotated = self._tree.rotated and log.live not in extended
        labels = {
            "source": self._context.name,
            "cluster": self._context.cluster,
            "node": self._context.node,
            "path": log.live,
        }
        return Sighting(
            f"{self._context.node}{log.live}",
            {label: value for label, value in labels.items() if value},
            LogFile(directory, name, self._tree.cutting, roots, rotated),
            frozenset((name, inodes[name]) for name in log.files),
        )


class _Walk:
    """One look: every directory is read once."""

    def __init__(self, scanner: FileScanner) -> None:
        self._scanner = scanner
        self._read: dict[str, tuple[list[str], dict[str, int]]] = {}

    def directories(self, directory: str) -> list[str]:
        return self._listing(directory)[0]

    def files(self, directory: str) -> dict[str, int]:
        """Inodes by name."""
        return self._listing(directory)[1]

    def _listing(self, directory: str) -> tuple[list[str], dict[str, int]]:
        known = self._read.get(directory)
        if known is not None:
            return known
        if len(self._read) >= MAX_DIRECTORIES:
            self._scanner.too_many()
            return [], {}
        directories, files = self._scanner.list(directory)
        self._read[directory] = directories, dict(files)
        return self._read[directory]


def _bases(path: str) -> Iterator[str]:
    """Paths that this one extends by a dot and more."""
    start = path.rindex("/") + 2
    while (dot := path.find(".", start)) > 0:
        yield path[:dot]
        start = dot + 1


def _any_of(globs: Iterable[Glob]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{glob.matcher().pattern})" for glob in globs) or r"(?!)", re.S)
