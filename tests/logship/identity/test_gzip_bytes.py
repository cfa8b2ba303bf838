"""What a `.gz` may contain: several members, garbage, lies, bombs; and how often it is read."""

import asyncio
import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import pytest

from logship.tail.feed import DiskFeed
from logship.tail.unzip import DamagedFile, GzipReader, gzip_size
from logship.testing import cri_line
from logship.testing.virtual_time import InlineOffload, VirtualClock, run_virtual
from logship.world import Disk, Offload, World
from tests.logship.identity.stage import Losses, follower_of, read_all


class CountingDisk(Disk):
    """Counts what is read."""

    def __init__(self, offload: Offload) -> None:
        super().__init__(offload)
        self.preads = 0

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        found = super().pread(fd, size, offset)
        self.preads += len(found)
        return found


def counting_world() -> tuple[World, CountingDisk]:
    disk = CountingDisk(InlineOffload())
    return World(VirtualClock(), disk, InlineOffload()), disk


def read_to_end(packed: bytes, path: Path, piece: int = 100_000) -> tuple[bytes, str]:
    """(what can be read, what is damaged)."""
    path.write_bytes(packed)

    async def go() -> tuple[bytes, str]:
        world, _ = counting_world()
        fd = os.open(path, os.O_RDONLY)
        reader, found = GzipReader(world, fd), b""
        try:
            while chunk := await reader.read(piece, len(found)):
                found += chunk
        except DamagedFile as error:
            return found, str(error)
        finally:
            os.close(fd)
        return found, ""

    return asyncio.run(go())


BODY = b"".join(b"%d %d\n" % (n, n * 7919) for n in range(60_000))


BEHIND = [b"", b"\0" * 8, b"\0" * 70_000, b"garbage", b"\x1f", b"\x1fgarbage", b"\x8b" * 70_000]


@pytest.mark.parametrize("behind", BEHIND)
def test_what_follows_a_whole_member_and_begins_none_is_left_out(
    tmp_path: Path, behind: bytes
) -> None:
    assert read_to_end(gzip.compress(BODY) + behind, tmp_path / "x.gz") == (BODY, "")


def test_members_follow_each_other_wherever_a_read_ends(tmp_path: Path) -> None:
    for split in range(1, 40):  # members of every small size: headers fall on the edge of reads
        body = os.urandom(64 * 1024 - 40 + split)
        packed = gzip.compress(body, 0) + gzip.compress(b"") + gzip.compress(b"second\n")
        assert read_to_end(packed, tmp_path / "x.gz") == (body + b"second\n", "")


def test_all_that_comes_before_a_tear_is_given(tmp_path: Path) -> None:
    packed = gzip.compress(BODY)
    whole = 0
    for cut in (0, 5, 18, len(packed) // 3, len(packed) - 9, len(packed) - 1):
        found, damage = read_to_end(packed[:cut], tmp_path / "x.gz")
        assert damage
        assert BODY.startswith(found)
        assert len(found) >= whole
        whole = len(found)
    assert whole == len(BODY)  # only the trailer was torn


@pytest.mark.parametrize("lie", [0, 1, 2**32 - 1])
def test_a_size_that_lies_costs_no_bytes(tmp_path: Path, lie: int) -> None:
    packed = gzip.compress(BODY)[:-4] + struct.pack("<I", lie)
    found, damage = read_to_end(packed, tmp_path / "x.gz")
    assert found == BODY
    assert damage


def test_a_bomb_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", 1) as out:
        for _ in range(400):
            out.write(bytes(1 << 20))

    async def go() -> int:
        world, _ = counting_world()
        fd = os.open(path, os.O_RDONLY)
        reader, at = GzipReader(world, fd), 0
        while chunk := await reader.read(256 * 1024, at):
            at += len(chunk)
        last = await GzipReader(world, fd).read(10, at - 10)  # skips everything before
        os.close(fd)
        assert last == bytes(10)
        return at

    tracemalloc.start()
    try:
        assert run_virtual(go()) == 400 << 20
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20, peak


def test_a_stated_size_is_a_hint_of_at_most_32_bits(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(BODY) + gzip.compress(b"last"))
    fd = os.open(path, os.O_RDONLY)
    try:
        assert gzip_size(Disk(InlineOffload()), fd) == 4
    finally:
        os.close(fd)


@pytest.mark.parametrize("stated", [None, 0, 5, 2**32 - 1])
def test_a_feed_reads_a_gz_once_whatever_size_it_states(tmp_path: Path, stated: int | None) -> None:
    lines = [f"{n} {n * 7919}" for n in range(40_000)]
    body = b"".join(cri_line(text, time_ns=10**18 + n) for n, text in enumerate(lines))
    packed = gzip.compress(body)
    if stated is not None:
        packed = gzip.compress(body[:-100]) + gzip.compress(body[-100:])
        packed = packed[:-4] + struct.pack("<I", stated)
    (tmp_path / "0.log.20260101-000000.gz").write_bytes(packed)

    async def go() -> None:
        world, disk = counting_world()
        follower = follower_of(tmp_path, world)
        losses = Losses()
        feed = DiskFeed("r", follower, world, None, lambda: None, losses)
        before = disk.preads
        got = await read_all(feed, world)
        assert got == lines
        assert disk.preads - before < len(packed) + 200_000
        assert feed.waiting() == 0

    run_virtual(go())


def test_a_released_batch_of_a_gz_does_not_cost_all_that_comes_before_it_each_time(
    tmp_path: Path,
) -> None:
    body = b"".join(cri_line(os.urandom(200).hex(), time_ns=10**18 + n) for n in range(15_000))
    packed = gzip.compress(body, 1)
    (tmp_path / "0.log.20260101-000000.gz").write_bytes(packed)

    async def go() -> None:
        world, disk = counting_world()
        follower = follower_of(tmp_path, world)
        feed = DiskFeed("r", follower, world, None, lambda: None, Losses())
        batches = []
        while (batch := await feed.take(256 * 1024)) is not None:
            batches.append(batch)
        for batch in batches:
            feed.release(batch)
        before, again = disk.preads, 0
        while (batch := await feed.take(256 * 1024)) is not None:
            again += batch.size()
            feed.settle(batch)
        assert again == len(body)
        assert len(batches) > 20
        assert disk.preads - before < 2 * len(packed)

    run_virtual(go())
