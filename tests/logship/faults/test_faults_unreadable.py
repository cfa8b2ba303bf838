"""Files that are damaged, fail to be read, or are written over in place."""

import errno
import gzip
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.tail.loss import Reason
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.reading_on import (
    BEGIN,
    LAST,
    LATER,
    follow,
    lines,
    numbers,
    read_on,
)
from tests.logship.identity.stage import PLAIN


def test_a_damaged_gz_between_two_good_generations_is_a_loss(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        (tmp_path / "0.log.1").write_bytes(lines(0, 3))
        damaged = bytearray(gzip.compress(lines(10, 5000, LATER)))
        damaged[12:80] = b"\xff" * 68
        (tmp_path / "0.log.2.gz").write_bytes(bytes(damaged))
        (tmp_path / "0.log").write_bytes(lines(9000, 9003, LAST))
        os.utime(tmp_path / "0.log.1", (1, 1))
        os.utime(tmp_path / "0.log.2.gz", (2, 2))
        follower, feed, losses = follow(tmp_path, world)
        assert await read_on(feed, follower, world) == [*numbers(0, 3), *numbers(9000, 9003)]
        assert [(loss.reason, loss.exact) for loss in losses] == [(Reason.DAMAGED, False)]

    run_virtual(go())


def test_a_read_error_while_a_file_is_identified_is_tried_again(tmp_path: Path) -> None:
    """One EIO: a flaky disk, a network file system."""

    async def go() -> None:
        world = virtual_world()
        (tmp_path / "0.log.1").write_bytes(lines(0, 3))
        os.utime(tmp_path / "0.log.1", (1, 1))
        (tmp_path / "0.log").write_bytes(lines(10, 13, LATER))
        real, failed = world.disk.pread, list[int]()
        old = os.stat(tmp_path / "0.log.1").st_ino

        def pread(fd: int, size: int, offset: int) -> bytes:
            if not failed and os.fstat(fd).st_ino == old:
                failed.append(fd)
                raise OSError(errno.EIO, "Input/output error")
            return real(fd, size, offset)

        world.disk.pread = pread  # type: ignore[method-assign]  # a disk that fails once
        follower, feed, losses = follow(tmp_path, world)
        assert failed
        assert sorted(await read_on(feed, follower, world)) == sorted(
            numbers(0, 3) + numbers(10, 13)
        )
        assert not losses

    run_virtual(go())


def test_no_bytes_of_a_truncated_file_come_under_its_old_offsets(tmp_path: Path) -> None:
    """A route is behind, the file is copied and truncated, and written again before a look."""

    async def go() -> None:
        world = virtual_world()
        path = tmp_path / "0.log"
        path.write_bytes(b"".join(b"old %06d\n" % n for n in range(100)))  # 11 bytes a line
        follower, feed, losses = follow(tmp_path, world, PLAIN)
        first = await feed.take(550)
        assert first is not None
        found: Sequence[str] = first.rows.texts
        feed.settle(first)
        path.write_bytes(b"".join(b"new %06d\n" % n for n in range(80)))
        assert await feed.take(256 * 1024) is None  # nobody has looked yet
        found = [*found, *await read_on(feed, follower, world)]
        assert max(Counter(found).values()) == 1
        assert [text for text in found if text.startswith("new")] == [
            f"new {n:06d}" for n in range(80)
        ]
        assert sum(loss.bytes for loss in losses) == 550

    run_virtual(go())


@pytest.mark.parametrize(
    "texts", [["ok 0002"], ["another thing", "more of it"]], ids=["same size", "larger"]
)
def test_a_file_that_is_rewritten_between_two_looks_is_another_one(
    tmp_path: Path, texts: list[str]
) -> None:
    """`date > last-run.log`: the same inode, the same size or more, other rows."""

    async def go() -> None:
        world = virtual_world()
        path = tmp_path / "0.log"
        path.write_bytes(b"ok 0001\n")
        follower, feed, losses = follow(tmp_path, world, PLAIN)
        assert await read_on(feed, follower, world) == ["ok 0001"]
        await world.clock.sleep(60)
        path.write_bytes("".join(f"{text}\n" for text in texts).encode())
        os.utime(path, ns=(BEGIN, BEGIN))
        assert await read_on(feed, follower, world) == texts
        assert not losses

    run_virtual(go())


def test_no_bytes_of_a_rewritten_file_come_under_its_old_offsets(tmp_path: Path) -> None:
    """A route is behind, and before anybody looks there is more in the file than there was."""

    async def go() -> None:
        world = virtual_world()
        path = tmp_path / "0.log"
        path.write_bytes(b"".join(b"old %06d\n" % n for n in range(100)))
        follower, feed, losses = follow(tmp_path, world, PLAIN)
        first = await feed.take(550)
        assert first is not None
        feed.settle(first)
        path.write_bytes(b"".join(b"newer %06d\n" % n for n in range(200)))
        os.utime(path, ns=(BEGIN, BEGIN))
        assert await feed.take(256 * 1024) is None  # nobody has looked yet
        assert await read_on(feed, follower, world) == [f"newer {n:06d}" for n in range(200)]
        assert sum(loss.bytes for loss in losses) == 550

    run_virtual(go())


def test_a_file_whose_time_alone_changes_is_not_read_again(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        path = tmp_path / "0.log"
        path.write_bytes(b"ok 0001\n")
        follower, feed, losses = follow(tmp_path, world, PLAIN)
        assert await read_on(feed, follower, world) == ["ok 0001"]
        os.utime(path, ns=(BEGIN, BEGIN))
        assert await read_on(feed, follower, world) == []
        assert not losses

    run_virtual(go())
