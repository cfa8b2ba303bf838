"""Faults that the model of the whole agent (`tests/property/agent_model`) found, as small cases."""

from pathlib import Path

from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.faults.stage import feed_of, follower_of, read

OLD, NEW = 10**18, 10**18 + 5


async def look_and_read(world: World, follower: Follower, feed: DiskFeed, secs: float) -> list[str]:
    """What a feed gets while time goes on, as the pulse of the agent would do it."""
    found = []
    for _ in range(max(1, int(secs / 0.1))):
        follower.look_again()
        found += await read(feed)
        await world.clock.sleep(0.1)
    return found


def append(path: Path, text: str) -> None:
    with path.open("ab") as file:
        file.write(cri_line(text, time_ns=NEW))


def test_last_words_are_read_after_a_late_reopen(tmp_path: Path) -> None:
    """A runtime may reopen its log long after the rename, and flush a moment later."""

    async def go() -> None:
        world = virtual_world()
        live, rotated = tmp_path / "0.log", tmp_path / "0.log.20260101-000000"
        live.write_bytes(cri_line("old", time_ns=OLD))
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world)
        assert await look_and_read(world, follower, feed, 5) == ["old"]
        live.rename(rotated)
        assert await look_and_read(world, follower, feed, 40) == []
        live.write_bytes(cri_line("new", time_ns=NEW))
        found = await look_and_read(world, follower, feed, 0.5)
        append(rotated, "late")
        found += await look_and_read(world, follower, feed, 5)
        assert found == ["late", "new"]

    run_virtual(go())


def test_last_words_are_read_of_a_log_that_was_silent_before_its_rotation(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        live, rotated = tmp_path / "0.log", tmp_path / "0.log.20260101-000000"
        live.write_bytes(cri_line("old", time_ns=OLD))
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world)
        assert await look_and_read(world, follower, feed, 40) == ["old"]
        live.rename(rotated)
        live.write_bytes(cri_line("new", time_ns=NEW))
        found = await look_and_read(world, follower, feed, 0.5)
        append(rotated, "late")
        found += await look_and_read(world, follower, feed, 5)
        assert found == ["late", "new"]

    run_virtual(go())


def test_a_new_file_that_is_still_empty_counts_as_reopened(tmp_path: Path) -> None:
    """Its first row is not held back when it comes later."""

    async def go() -> None:
        world = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("old", time_ns=OLD))
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world)
        assert await look_and_read(world, follower, feed, 5) == ["old"]
        live.rename(tmp_path / "0.log.20260101-000000")
        live.touch()
        assert await look_and_read(world, follower, feed, 5) == []
        append(live, "new")
        assert await look_and_read(world, follower, feed, 0.1) == ["new"]

    run_virtual(go())


def test_a_file_that_was_renamed_before_it_could_be_told_is_not_the_live_one(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        world = virtual_world()
        live, rotated = tmp_path / "0.log", tmp_path / "0.log.20260101-000000"
        live.touch()
        follower = follower_of(tmp_path, world)
        live.write_bytes(cri_line("old", time_ns=OLD))
        live.rename(rotated)
        live.write_bytes(cri_line("new", time_ns=NEW))
        follower.look_again()
        assert [log.live for log in follower.generations] == [False, True]

    run_virtual(go())
