"""Deleted files that are held open until they are read, and the bounds of that.

An open descriptor keeps a deleted file on the disk: that is how rows survive rotation and the end
of their pod while a sink is down, and how a disk could fill. So deleted files that some route has
not settled are bounded in bytes, in number, and by the space that is left on their file system.
Beyond a bound they are let go: the oldest first, over all origins, exactly as far as needed. A file
that has a compressed copy with a name goes on in that, and nothing is lost.

Deciding (`excess`) is a plain function of numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from logship.tail.follow import Follower
from logship.tail.generation import LetGo, LogGeneration
from logship.tail.loss import Reason
from logship.world import Disk, Space


class Bounds(Protocol):
    """`held` of the configuration."""

    @property
    def max_bytes(self) -> int: ...
    @property
    def max_files(self) -> int: ...
    @property
    def min_free_percent(self) -> float: ...


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A deleted file that somebody has not settled."""

    follower: Follower
    log: LogGeneration
    unsettled: int
    """Bytes of log (uncompressed) that the slowest route has not settled."""


def excess(
    files: Sequence[HeldFile], bounds: Bounds, spaces: Mapping[int, Space]
) -> Iterator[tuple[HeldFile, Reason]]:
    """Which files to let go, and why. `spaces`: of the file systems, by device."""
    too_many_bytes = sum(file.unsettled for file in files) - bounds.max_bytes
    too_many_files = len(files) - bounds.max_files
    missing = {
        device: space.total * bounds.min_free_percent / 100 - space.free
        for device, space in spaces.items()
    }
    for file in sorted(files, key=lambda file: file.log.generation):
        device = file.log.inode[0]
        if too_many_bytes > 0:
            reason = Reason.MAX_BYTES
        elif too_many_files > 0:
            reason = Reason.MAX_FILES
        elif missing.get(device, 0) > 0:
            reason = Reason.DISK_FULL
        else:
            continue
        too_many_bytes -= file.unsettled
        too_many_files -= 1
        missing[device] = missing.get(device, 0) - file.log.disk_bytes
        yield file, reason


class Held:
    def __init__(self, bounds: Bounds, disk: Disk) -> None:
        self.bounds, self._disk = bounds, disk
        self.files = 0
        self.bytes = 0
        """Not settled, of the files that are held."""

    def look(self, followers: Iterable[Follower]) -> None:
        """To be called once a second: let go of what is over the bounds."""
        # Nearly no follower has a deleted file, and all are asked: a plain loop, no call for each.
        some = {
            follower: None for follower in followers for log in follower.generations
            if log.links == 0 and not log.let_go
        }  # fmt: skip
        files = [file for follower in some for file in held_files(follower)]
        gone = list(excess(files, self.bounds, self._spaces(files)))
        for file, reason in gone:
            let_go(file.follower, file.log, reason)
        self.files = len(files) - len(gone)
        self.bytes = sum(f.unsettled for f in files) - sum(f.unsettled for f, _ in gone)

    def _spaces(self, files: Iterable[HeldFile]) -> dict[int, Space]:
        one_each = {file.log.inode[0]: file.log.fd for file in files}
        found = {}
        for device, fd in one_each.items():
            with suppress(OSError):  # one that cannot tell has no such bound
                found[device] = self._disk.space(fd)
        return found


def held_files(follower: Follower) -> list[HeldFile]:
    logs = [log for log in follower.generations if log.links == 0 and not log.let_go]
    if not logs:
        return []
    feeds = [feed.unsettled() for feed in follower.feeds]
    found = [
        HeldFile(follower, log, max((f.get(log.generation, 0) for f in feeds), default=log.size))
        for log in logs
    ]
    return [file for file in found if file.unsettled]


def let_go(follower: Follower, log: LogGeneration, reason: Reason) -> None:
    """Close a deleted file; what was not read of it goes on in a copy, or is lost."""
    if not _go_on_in_copy(follower, log):
        why = LetGo(reason, follower.ended(log))
        for feed in follower.feeds:
            feed.lose(log, why)
        log.drop(why)
    follower.version += 1
    follower.close_idle(log)
    for feed in follower.feeds:
        feed.on_ready()


def _go_on_in_copy(follower: Follower, log: LogGeneration) -> bool:
    """Read a deleted file in its compressed copy from now on, if there is one."""
    if log.copy is None and not log.compressed:
        follower.look_again()  # the kubelet makes the copy, then it deletes the file
    if log.copy is None:
        return False
    name, stat = log.copy
    fd = follower.opening.open(name)
    if fd is None:
        return False
    if follower.world.disk.fstat(fd) != stat:
        follower.opening.close_file(fd)
        return False
    log.exchange(fd, stat)
    return True
