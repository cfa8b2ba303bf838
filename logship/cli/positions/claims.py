"""Which entries of the other agent are about which log.

An entry whose path exists leads to the file that it names, by whatever links, and so to the log
that owns this name in its directory. One whose path is gone, or is not mounted here, is about a log
only if that has the inode, and if the path says pod, namespace and container of it.
"""

from collections.abc import Iterable, Sequence

from logship.cli.positions.foreign import Entry, Stand
from logship.cli.positions.logs import Log
from logship.world import Disk

_WHOSE = ("namespace", "pod", "container")


class Claims:
    def __init__(self, stand: Stand, disk: Disk) -> None:
        self.left_out, self.written_ns = stand.left_out, stand.written_ns
        self._disk = disk
        self._in: dict[str, list[tuple[str, Entry]]] = {}
        """By directory: file names and their entries."""
        self._by_inode: dict[int, list[Entry]] = {}
        """Those whose paths do not exist here."""
        self._open: dict[Entry, None] = {}
        for entry in stand.entries:
            if entry.inode:  # else it was never opened
                self._add(entry)

    def _add(self, entry: Entry) -> None:
        self._open[entry] = None
        if "\0" not in entry.path and self._disk.stat(entry.path) is not None:
            directory, _, name = self._disk.realpath(entry.path).rpartition("/")
            self._in.setdefault(directory, []).append((name, entry))
        else:
            self._by_inode.setdefault(entry.inode, []).append(entry)

    def of(self, log: Log, inodes: Iterable[int]) -> Sequence[Entry]:
        """The entries about this log, whose files have these inodes."""
        directory = self._disk.realpath(log.file.directory)
        found = [entry for name, entry in self._in.get(directory, ()) if log.file.owns(name)]
        for inode in inodes:
            found += [e for e in self._by_inode.get(inode, ()) if _says(e.path, log)]
        for entry in found:
            self._open.pop(entry, None)
        return found

    def unclaimed(self) -> list[str]:
        """Entries that were about no log, in words."""
        return [f"{entry.path}: not a log that these routes read here" for entry in self._open]


def _says(path: str, log: Log) -> bool:
    """Whether the path names the container that the log is of."""
    names = [log.origin.labels.get(label) for label in _WHOSE]
    return all(name and name in path for name in names)
