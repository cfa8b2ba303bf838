"""Lines that a writer adds to a file after it was rotated, settled and closed."""

from pathlib import Path

from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.tail.loss import Reason
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.faults.reading_on import LATER, another, follow, lines, numbers, read_on


async def rotated(directory: Path, feed: DiskFeed, follower: Follower, world: World) -> Path:
    """A file of three rows that was read, renamed, settled and closed; two rows follow it."""
    live, old = directory / "0.log", directory / "0.log.1"
    live.write_bytes(lines(0, 3))
    assert await read_on(feed, follower, world) == numbers(0, 3)
    live.rename(old)
    live.write_bytes(lines(10, 12, LATER))
    assert await read_on(feed, follower, world) == numbers(10, 12)
    assert len(follower.generations) == 1
    return old


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_lines_written_late_to_a_rotated_file_are_delivered(tmp_path: Path) -> None:
    """A writer that reopens its log when it likes, or never."""

    async def go() -> None:
        world = virtual_world()
        follower, feed, losses = follow(tmp_path, world)
        old = await rotated(tmp_path, feed, follower, world)
        for first in (3, 5):
            append(old, lines(first, first + 2))
            assert await read_on(feed, follower, world) == numbers(first, first + 2)
        append(tmp_path / "0.log", lines(12, 14, LATER))
        assert await read_on(feed, follower, world) == numbers(12, 14)
        assert not losses
        assert len(follower.generations) == 1

    run_virtual(go())


def test_a_late_line_is_awaited_while_others_are_read(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        follower, feed, _ = follow(tmp_path, world)
        old = await rotated(tmp_path, feed, follower, world)
        whole = lines(3, 4)
        append(old, whole[:-5])
        append(tmp_path / "0.log", lines(12, 14, LATER))
        follower.look_again()
        batch = await feed.take(256 * 1024)
        assert batch is not None
        assert batch.rows.texts == numbers(12, 14)
        feed.settle(batch)
        append(old, whole[-5:])
        assert await read_on(feed, follower, world) == numbers(3, 4)

    run_virtual(go())


def test_a_position_stays_before_late_lines_until_they_are_settled(tmp_path: Path) -> None:
    """An agent that is killed meanwhile reads them again, and what follows, with the same ids."""

    async def go() -> None:
        world = virtual_world()
        follower, feed, _ = follow(tmp_path, world)
        old = await rotated(tmp_path, feed, follower, world)
        done = feed.committed
        append(old, lines(3, 5))
        follower.look_again()
        before = feed.committed
        assert before is not None
        assert before != done
        late = await feed.take(256 * 1024)
        assert late is not None
        assert feed.committed == before
        feed.release(late)
        assert feed.committed == before

        second, after_crash, losses = follow(tmp_path, world, saved=before)
        again = await after_crash.take(256 * 1024)
        assert again is not None
        assert (again.rows.texts, again.ids()) == (late.rows.texts, late.ids())
        after_crash.settle(again)
        assert await read_on(after_crash, second, world) == numbers(10, 12)
        assert not losses

        assert await read_on(feed, follower, world) == numbers(3, 5)
        assert feed.committed == done
        assert feed.waiting() == 0

    run_virtual(go())


def test_late_lines_reach_a_route_that_has_passed_a_file_another_one_still_reads(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        world = virtual_world()
        follower, feed, _ = follow(tmp_path, world)
        slow, _ = another(follower, world)
        live, old = tmp_path / "0.log", tmp_path / "0.log.1"
        live.write_bytes(lines(0, 3))
        assert await read_on(feed, follower, world) == numbers(0, 3)
        live.rename(old)
        live.write_bytes(lines(10, 12, LATER))
        assert await read_on(feed, follower, world) == numbers(10, 12)
        append(old, lines(3, 5))
        assert await read_on(feed, follower, world) == numbers(3, 5)
        assert await read_on(slow, follower, world) == [*numbers(0, 5), *numbers(10, 12)]
        assert len(follower.generations) == 1

    run_virtual(go())


def test_late_lines_that_are_cut_off_before_they_were_read_are_a_loss(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        follower, feed, losses = follow(tmp_path, world)
        old = await rotated(tmp_path, feed, follower, world)
        append(old, lines(3, 5))
        follower.look_again()
        old.write_bytes(b"")
        assert await read_on(feed, follower, world) == []
        assert [(loss.reason, loss.bytes) for loss in losses] == [
            (Reason.TRUNCATED, len(lines(3, 5)))
        ]
        assert feed.waiting() == 0

    run_virtual(go())
