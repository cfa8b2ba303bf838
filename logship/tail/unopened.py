"""Files of an origin that were seen and could not be opened: if they vanish, they are lost.

A file that is there is tried again with each look. One that got another name is the same file; one
that was compressed goes on as its `.gz`. Compressed files and links that lead out of their roots do
not count: what is in them cannot be told, or is not to be read.
"""

from collections.abc import Mapping

from logship.world import Stat

Inode = tuple[int, int]


class Unopened:
    def __init__(self) -> None:
        self._files: dict[Inode, tuple[str, Stat]] = {}
        self._replaced: list[Stat] = []
        self.lost: list[Stat] = []
        """All that have vanished."""
        self.damaged: dict[Inode, Stat] = {}
        """Those of which nobody can tell what they are."""

    def add(self, name: str, stat: Stat) -> None:
        if name.endswith(".gz"):
            return
        inode = stat.device, stat.inode
        _, before = self._files.get(inode, ("", stat))
        if stat.size < before.size:  # truncated, or another file with the same inode
            self._replaced.append(before)
        self._files[inode] = name, stat

    def note_damaged(self, found: list[Stat]) -> list[Stat]:
        """Those that were not known yet; the list is empty then."""
        new = [s for s in found if s.size and (s.device, s.inode) not in self.damaged]
        self.damaged.update(((stat.device, stat.inode), stat) for stat in new)
        found.clear()
        return new

    def vanished(self, there: Mapping[Inode, str], opened: set[Inode]) -> list[Stat]:
        """As they were last seen, those that are neither there nor open; each is told once."""
        lost, self._replaced = self._replaced, []
        names = set(there.values())
        for inode, (name, stat) in list(self._files.items()):
            if inode in opened:
                del self._files[inode]
            elif inode not in there:
                del self._files[inode]
                if f"{name}.gz" not in names and stat.size:
                    lost.append(stat)
        self.lost += lost
        return lost
