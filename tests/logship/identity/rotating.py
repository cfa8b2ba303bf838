"""Log files as logrotate turns them, one step at a time, and an agent that can be restarted.

Every kind of rotation is a generator that yields between its system calls: whatever the agent does
there (look, read, crash, start again) happens at that very moment.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from logship_tail.rotations import rotated_names

from logship.origin import LogFile
from logship.rows.address import Position
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.world import World
from tests.logship.identity.stage import PLAIN, Losses, follower_of

NAME = "app.log"
Steps = Iterator[None]
Rotate = Callable[[Path, int], Steps]
"""(the live file, the number of the rotation)."""


def compress(path: Path) -> Steps:
    """As gzip(1) and logrotate: written beside, with the times of the original, then unlinked."""
    packed = gzip.compress(path.read_bytes())
    target = path.with_name(path.name + ".gz")
    for end in (len(packed) // 2, len(packed)):
        target.write_bytes(packed[:end])
        yield
    stat = path.stat()
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    path.unlink()
    yield


def shift(live: Path) -> Steps:
    """`.1` -> `.2`, `.2.gz` -> `.3.gz` and so on, the oldest first."""
    for number in range(9, 0, -1):
        for ending in ("", ".gz"):
            old = live.with_name(f"{live.name}.{number}{ending}")
            if old.exists():
                old.rename(live.with_name(f"{live.name}.{number + 1}{ending}"))
                yield


def renamed(live: Path, number: int) -> Steps:
    yield from shift(live)
    live.rename(live.with_name(f"{live.name}.1"))
    yield
    live.touch()
    yield


def renamed_compressed(live: Path, number: int) -> Steps:
    yield from renamed(live, number)
    yield from compress(live.with_name(f"{live.name}.1"))


def renamed_compressed_later(live: Path, number: int) -> Steps:
    last = live.with_name(f"{live.name}.1")
    if last.exists():
        yield from compress(last)
    yield from renamed(live, number)


def dated(live: Path, number: int) -> Steps:
    live.rename(live.with_name(f"{live.name}-202603{number:02}"))
    yield
    live.touch()
    yield


def dated_compressed(live: Path, number: int) -> Steps:
    yield from dated(live, number)
    yield from compress(live.with_name(f"{live.name}-202603{number:02}"))


def dated_before_the_extension(live: Path, number: int) -> Steps:
    turned = live.with_name(f"app-202603{number:02}.log")
    live.rename(turned)
    yield
    live.touch()
    yield
    yield from compress(turned)


def copied(live: Path, number: int) -> Steps:
    """copytruncate."""
    yield from shift(live)
    body = live.read_bytes()
    copy = live.with_name(f"{live.name}.1")
    for end in (len(body) // 2, len(body)):
        copy.write_bytes(body[:end])
        yield
    os.truncate(live, 0)
    yield


def copied_compressed(live: Path, number: int) -> Steps:
    yield from copied(live, number)
    yield from compress(live.with_name(f"{live.name}.1"))


def replaced(live: Path, number: int) -> Steps:
    """A new file renamed over the old one; a hard link keeps the old one, as editors' backups."""
    turned = live.with_name(f"{live.name}.2026030{number}")
    os.link(live, turned)
    yield
    new = live.with_name("new.tmp")
    new.touch()
    new.rename(live)
    yield


ROTATIONS: list[Rotate] = [
    renamed, renamed_compressed, renamed_compressed_later, dated, dated_compressed,
    dated_before_the_extension, copied, copied_compressed, replaced,
]  # fmt: skip


@dataclass
class Agent:
    """One feed on one log; `restart` is a crash: a new agent from the saved position."""

    directory: Path
    world: World
    cutting: Cutting = PLAIN
    rows: list[tuple[str, str]] = field(default_factory=list)
    """(id, text) as delivered."""
    losses: Losses = field(default_factory=Losses)
    position: Position | None = None
    follower: Follower = field(init=False)
    feed: DiskFeed = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        name = LogFile(
            str(self.directory), NAME, self.cutting, (str(self.directory),), rotated_names(NAME)
        )
        saved = [self.position] if self.position else []
        self.follower = follower_of(self.directory, self.world, log=name, saved=saved)
        self.feed = DiskFeed(
            "r", self.follower, self.world, self.position, lambda: None, self.losses
        )
        self.follower.add_feed(self.feed)

    def stop(self) -> None:
        self.position = self.feed.committed
        self.follower.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def look(self) -> None:
        self.follower.refresh()
        self.follower.poll()

    async def read(self, secs: int = 0) -> None:
        """What there is now, and what `secs` seconds of looking bring."""
        for second in range(secs + 1):
            if second:
                await self.world.clock.sleep(1)
                self.look()
            while (batch := await self.feed.take(256 * 1024)) is not None:
                self.rows += zip(batch.rows.ids("o"), batch.rows.texts, strict=True)
                self.feed.settle(batch)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.rows]


def write(live: Path, *lines: str) -> None:
    with live.open("a") as out:
        out.writelines(f"{line}\n" for line in lines)
