"""The logs that globs take: which files there are, and which belong together.

A place is a directory: a file and what it is rotated to lie in the same one, so an event leads to
one look at its directory, and a new directory to a walk below it. A link is followed only into the
directories that the globs name before their wildcards, or into `roots`; a link to a file that is
taken anyway is no log of its own.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from logship.api import Context, Cutting, DirEntry, LogFile, NotRead
from logship_tail.complaints import Complaints
from logship_tail.directories import Walk
from logship_tail.globs import Glob
from logship_tail.rotations import Family, families, live_path, lone_path, rotated_names
from logship_tail.sightings import Sighting, Snapshot
from logship_tail.watching import Watcher


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
        self._context = context
        self._disk = context.world.disk
        self._complaints = complaints
        self._wanted = _any_of(tree.globs)
        self._unwanted = _any_of(tree.exclude)
        self._walk = Walk(tree.globs, self._disk, watcher, complaints)
        self._seen: dict[str, set[str]] = {}
        """By place: paths of files that are no links, also of logs just renamed."""
        self._roots: tuple[str, ...] = ()
        self._unmet: dict[str, re.Pattern[str]] | None = {
            glob.text: glob.matcher() for glob in tree.globs
        }
        """Globs that have not fitted any file yet; None: that was told."""
        self._looked = False

    def places(self, path: str | None) -> Iterable[str]:
        if path is None:
            self._tell_unmet()
            allowed = (*(glob.prefix for glob in self._tree.globs), *self._tree.roots)
            self._roots = tuple(dict.fromkeys(map(self._disk.realpath, allowed)))
        return self._walk.places(path)

    def look(self, place: str) -> Snapshot:
        files = {
            entry.name: entry
            for entry in self._walk.take(place)
            if not entry.is_dir and not entry.name.endswith(".tmp")
        }
        there = {f"{place}/{entry.name}" for entry in files.values() if not entry.is_link}
        before = self._seen.get(place, set())
        self._seen[place] = there | before
        if self._unmet:
            self._meet(f"{place}/{name}" for name in files)
        logs = families([f"{place}/{name}" for name in files], self._live_of)
        self._seen[place] = there | (before & {log.live for log in logs})
        seen = [self._sighting(log, files) for log in logs if self._names_fit(log)]
        return {log.key: log for log in seen}

    def described(self, path: str) -> Sighting:
        """What the log of this file would look like. Raises NotRead."""
        live = self._live_of(path)
        if live is not None:
            return self._sighting(Family(live, frozenset()), {})
        if self._unwanted.fullmatch(path):
            raise NotRead(f"`exclude` takes {path}")
        raise NotRead(f"no glob of `paths` takes {path}")

    def _meet(self, paths: Iterable[str]) -> None:
        unmet = self._unmet or {}
        for path in paths:
            for text in [text for text, fits in unmet.items() if fits.fullmatch(path)]:
                del unmet[text]

    def _tell_unmet(self) -> None:
        """Once, when everything is looked at for the second time."""
        if self._looked and self._unmet:
            globs = ", ".join(self._unmet)
            advice = "files that come later are read; if there should be some now, check the paths"
            self._complaints.say("no file fits these paths", globs, advice)
        if self._looked:
            self._unmet = None
        self._looked = True

    def _live_of(self, path: str) -> str | None:
        live_of = live_path if self._tree.rotated else lone_path
        return live_of(path, self.taken, self._was_seen)

    def _was_seen(self, path: str) -> bool:
        return path in self._seen.get(path.rpartition("/")[0], ())

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
        directory, target = self._disk.realpath(log.directory), self._disk.realpath(path)
        if target.rpartition("/")[0] == directory:
            beside = f"{log.directory}/{target.rpartition('/')[2]}"
            if self._live_of(beside) == path:  # itself, or a link to the newest of its files
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

    def _names_fit(self, log: Family) -> bool:
        try:
            log.live.encode()
        except UnicodeEncodeError:
            self._complaints.say("a file's name is not UTF-8; it is not read", repr(log.live))
            return False
        return True

    def _sighting(self, log: Family, files: Mapping[str, DirEntry]) -> Sighting:
        directory, name = log.live.rsplit("/", 1)
        labels = {
            "source": self._context.name,
            "cluster": self._context.cluster,
            "node": self._context.node,
            "path": log.live,
        }
        rotated = rotated_names(name) if self._tree.rotated else ""
        return Sighting(
            f"{self._context.node}{log.live}",
            {label: value for label, value in labels.items() if value},
            LogFile(directory, name, self._tree.cutting, self._roots, rotated),
            frozenset((name, files[name].inode) for name in log.files),
        )


def _any_of(globs: Iterable[Glob]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{glob.matcher().pattern})" for glob in globs) or r"(?!)", re.S)
