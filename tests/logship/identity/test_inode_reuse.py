"""A new file with the inode of one that is gone: ext4 does that at once, again and again.

The disk here gives every file the same inode number, on any file system, and if asked to the same
size and time, or no birth.
"""

from pathlib import Path

import pytest

from logship.rows.index import Cutting
from logship.testing import cri_line
from logship.testing.virtual_time import InlineOffload, VirtualClock, run_virtual
from logship.world import DirEntry, Disk, Stat, World
from tests.logship.identity.rotating import NAME, Agent
from tests.logship.identity.stage import CRI, PLAIN

SECOND = 1_000_000_000


class OneInode(Disk):
    def __init__(self, births: bool) -> None:
        super().__init__(InlineOffload())
        self._births = births

    def stat(self, path: str) -> Stat | None:
        found = super().stat(path)
        return found and self._same(found)

    def fstat(self, fd: int) -> Stat:
        return self._same(super().fstat(fd))

    def _same(self, found: Stat) -> Stat:
        return Stat(found.device, 7, found.size, 12345, found.links)

    def scan(self, directory: str) -> list[DirEntry]:
        return [DirEntry(e.name, 7, e.is_dir, e.is_link) for e in super().scan(directory)]

    def birth_ns(self, fd: int) -> int:
        return super().birth_ns(fd) if self._births else 0


def line(text: str, cutting: Cutting, number: int) -> bytes:
    if cutting is PLAIN:
        return f"{text}\n".encode()
    return cri_line(text, time_ns=10**18 + number * SECOND)


CASES = [
    pytest.param(CRI, True, "a", "b", id="cri"),
    pytest.param(CRI, False, "a", "b", id="cri-no-birth"),
    pytest.param(PLAIN, True, "a", "b", id="plain"),
    pytest.param(PLAIN, False, "a", "b", id="plain-no-birth"),
    pytest.param(PLAIN, True, "header", "header", id="header"),
]


@pytest.mark.parametrize(("cutting", "births", "one", "two"), CASES)
@pytest.mark.parametrize("restart", [False, True], ids=["running", "restarted"])
def test_a_new_file_with_the_inode_of_a_deleted_one_is_another_generation(
    tmp_path: Path, cutting: Cutting, births: bool, one: str, two: str, restart: bool
) -> None:
    async def go() -> None:
        world = World(VirtualClock(), OneInode(births), InlineOffload())
        live = tmp_path / NAME
        live.write_bytes(line(one, cutting, 1))
        agent = Agent(tmp_path, world, cutting)
        await agent.read(2)
        if restart:
            agent.stop()
        else:  # let go of: its inode is free
            agent.follower.retired = True
            await agent.read(3)
            agent.stop()
        live.unlink()
        live.write_bytes(line(two, cutting, 2))
        agent.start()
        await agent.read(6)
        assert agent.texts == [one, two]
        assert len({id_ for id_, _ in agent.rows}) == 2

    run_virtual(go())


class Renumbered(Disk):
    """Says another inode number for some files."""

    def __init__(self) -> None:
        super().__init__(InlineOffload())
        self.numbers: dict[int, int] = {}

    def stat(self, path: str) -> Stat | None:
        found = super().stat(path)
        return found and self._say(found)

    def fstat(self, fd: int) -> Stat:
        return self._say(super().fstat(fd))

    def _say(self, found: Stat) -> Stat:
        return found._replace(inode=self.numbers.get(found.inode, found.inode))


@pytest.mark.parametrize("cutting", [CRI, PLAIN], ids=["cri", "plain"])
def test_a_live_file_with_the_inode_of_one_that_was_let_go_is_read(
    tmp_path: Path, cutting: Cutting
) -> None:
    async def go() -> None:
        disk = Renumbered()
        live, rotated = tmp_path / NAME, tmp_path / f"{NAME}.1"
        live.write_bytes(line("one", cutting, 1))
        agent = Agent(tmp_path, World(VirtualClock(), disk, InlineOffload()), cutting)
        await agent.read(2)
        live.rename(rotated)
        live.write_bytes(line("two", cutting, 2))
        await agent.read(5)
        assert len(agent.follower.generations) == 1  # the rotated one was let go
        number = rotated.stat().st_ino
        live.rename(rotated)
        live.write_bytes(line("three, of another size", cutting, 3))
        disk.numbers = {live.stat().st_ino: number}
        await agent.read(5)
        assert agent.texts == ["one", "two", "three, of another size"]

    run_virtual(go())


@pytest.mark.parametrize("cutting", [CRI, PLAIN], ids=["cri", "plain"])
@pytest.mark.parametrize("before", [0, 5], ids=["empty", "short"])
def test_a_file_too_short_to_be_told_is_told_when_it_has_grown_whatever_its_inode(
    tmp_path: Path, cutting: Cutting, before: int
) -> None:
    async def go() -> None:
        world = World(VirtualClock(), OneInode(True), InlineOffload())
        live = tmp_path / NAME
        live.write_bytes(line("first", cutting, 1))
        agent = Agent(tmp_path, world, cutting)
        await agent.read(2)
        agent.stop()
        live.unlink()
        second = line("second", cutting, 2)
        live.write_bytes(second[:before])
        agent.start()
        await agent.read(3)
        agent.restart()
        with live.open("ab") as out:
            out.write(second[before:])
        await agent.read(4)
        agent.restart()
        await agent.read(3)
        assert agent.texts == ["first", "second"]

    run_virtual(go())


def test_a_kernel_that_uses_an_inode_again_is_not_fooled(tmp_path: Path) -> None:
    async def go() -> bool:
        world = World(VirtualClock(), Disk(InlineOffload()), InlineOffload())
        live, want, inodes = tmp_path / NAME, [], []
        agent: Agent | None = None
        for number in range(20):
            live.write_bytes(b"header\n%d\n" % number)
            inodes.append(live.stat().st_ino)
            want += ["header", str(number)]
            if agent is None:
                agent = Agent(tmp_path, world, PLAIN)
            else:
                agent.start()
            await agent.read(3)
            agent.stop()
            live.unlink()
        assert agent is not None
        assert agent.texts == want
        assert len({id_ for id_, _ in agent.rows}) == len(want)
        return len(set(inodes)) < len(inodes)

    if not run_virtual(go()):
        pytest.skip("this file system did not use an inode again")
