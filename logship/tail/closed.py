"""Files that were settled and closed, and whose writers may not have finished with them.

A writer that does not reopen its log writes on to the renamed file, for as long as it likes. So a
plain file stays known as long as it is in the directory: with its inode, and how much of it was
settled. If it is larger one day, or its compressed copy is, it is opened again, and what was added
is read as late lines.
"""

from collections.abc import Mapping

from logship.tail.generation import LogGeneration
from logship.tail.unopened import Inode
from logship.world import Disk, Stat

_LOOKED_AT = 4
"""Files that are looked at between looks at the directory: a writer goes on in one of the last."""


class Closed:
    def __init__(self) -> None:
        self._logs: dict[Inode, LogGeneration] = {}
        """In the order in which they were closed."""
        self._names: Mapping[Inode, str] = {}

    def add(self, log: LogGeneration) -> None:
        """It is about to be closed; it has been settled up to its `size`."""
        if not (log.compressed or log.truncated_from or log.let_go):
            self._logs[log.inode] = log

    def keep(self, there: Mapping[Inode, str]) -> None:
        """These files are there, under these names. Call after their copies were opened."""
        self._names = there
        for inode in [inode for inode in self._logs if inode not in there]:
            del self._logs[inode]

    def grown(self, stat: Stat) -> bool:
        log = self._logs.get((stat.device, stat.inode))
        return log is not None and stat.size > log.size

    def any_grown(self, disk: Disk, directory: str) -> bool:
        """Whether something was added to one of the last. Costs a stat for each."""
        for inode in list(self._logs)[-_LOOKED_AT:]:
            if inode in self._names:
                stat = disk.stat(f"{directory}/{self._names[inode]}")
                if stat is not None and self.grown(stat):
                    return True
        return False

    def again(self, opened: LogGeneration) -> LogGeneration | None:
        """The file that this one is, or of which it is the compressed copy, if it has more than was
        settled; it is open from now on.
        """
        for inode, log in self._logs.items():
            if log.generation == opened.generation:
                more = not opened.live and opened.size > log.size
                return self._logs.pop(inode) if more else None
        return None
