"""The directories that globs reach: each is watched before it is read, and read once a look.

After the first walk only what an event names is walked again: one directory for a file, and what
lies below a directory that has come or gone.
"""

from collections.abc import Iterable, Sequence

from logship.api import DirEntry, Disk
from logship_tail.complaints import Complaints
from logship_tail.globs import Glob
from logship_tail.watching import Watcher

MAX_DIRECTORIES = 10_000
_ADVICE = "give the agent's user the right to read the directory, or name others in `paths`"


class Walk:
    def __init__(
        self, globs: Sequence[Glob], disk: Disk, watcher: Watcher, complaints: Complaints
    ) -> None:
        self._globs = globs
        self._disk = disk
        self._watcher = watcher
        self._complaints = complaints
        self._known: set[str] = set()
        """Directories whose files may fit."""
        self._read: dict[str, list[DirEntry]] = {}
        """What this walk has read, until it is taken."""

    def places(self, path: str | None) -> Iterable[str]:
        """Directories to look at after an event at this path; None: all of them."""
        self._read = {}
        if path is None:
            self._known = set(self._directories(""))
            return frozenset(self._known)
        if not path.endswith("/"):
            return {path.rpartition("/")[0]} & self._known
        top = path.rstrip("/")
        below = {place for place in self._known if _within(place, top)}
        self._known -= below
        self._known.update(self._directories(top))
        return below | {place for place in self._known if _within(place, top)}

    def take(self, directory: str) -> list[DirEntry]:
        """What is in a directory now, watched from now on."""
        found = self._read.pop(directory, None)
        return self._scan(directory) if found is None else found

    def _directories(self, top: str) -> Iterable[str]:
        """Those that may have files, at `top` or below it."""

        def names(directory: str) -> Sequence[str]:
            if not _within(directory, top):  # on the way to it, if anything
                way = top.removeprefix(f"{directory}/")
                return [way.split("/", 1)[0]] if way != top else []
            return [entry.name for entry in self._entries(directory) if entry.is_dir]

        for glob in self._globs:
            yield from (place for place in glob.directories(names) if _within(place, top))

    def _entries(self, directory: str) -> list[DirEntry]:
        if directory not in self._read:
            if len(self._read) + len(self._known) >= MAX_DIRECTORIES:
                self._complaints.say(
                    "too many directories; the others are not looked at",
                    f"more than {MAX_DIRECTORIES}",
                )
                return []
            try:
                self._read[directory] = self._scan(directory)
            except PermissionError as error:  # what else the globs reach can be read
                self._complaints.say("cannot look for logs", str(error), _ADVICE)
                return []
        return self._read[directory]

    def _scan(self, directory: str) -> list[DirEntry]:
        self._watcher.watch(directory)
        return self._disk.scan(directory)


def _within(path: str, top: str) -> bool:
    return not top or path == top or path.startswith(f"{top}/")
