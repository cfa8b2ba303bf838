"""A file that is truncated and begun again, with the same first line: a CSV with its header."""

import os
import shutil
from pathlib import Path

import pytest

from logship.rows.address import Generation, Position
from logship.tail.feed import DiskFeed
from logship.tail.naming import Naming, Sight
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.identity.rotating import NAME, Agent, renamed_compressed, write
from tests.logship.identity.stage import Losses

HEADER = "time,text"


async def begun(directory: Path, world: World) -> Agent:
    write(directory / NAME, HEADER, "one", "two, which is rather long")
    agent = Agent(directory, world)
    await agent.read(2)
    assert len(agent.rows) == 3
    return agent


def begin_again(live: Path, *lines: str) -> None:
    os.truncate(live, 0)
    write(live, HEADER, *lines)


def test_what_is_written_after_a_truncation_is_read_under_new_ids(tmp_path: Path) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        for number in range(3):
            begin_again(tmp_path / NAME, f"x{number}")
            await agent.read(3)
            os.truncate(tmp_path / NAME, 0)  # seen empty, now and then
            await agent.read(1)
        texts = [HEADER, "one", "two, which is rather long"]
        texts += [text for number in range(3) for text in (HEADER, f"x{number}")]
        assert agent.texts == texts
        ids = [id_ for id_, _ in agent.rows]
        assert ids == sorted(set(ids))  # in the order they were written
        assert agent.losses == []

    run_virtual(go())


LONGER = tuple(f"a line of its own {number}" for number in range(9))


@pytest.mark.parametrize(
    ("away", "lines"),
    [(False, ("x",)), (True, ("x",)), (True, LONGER)],
    ids=["seen", "away", "grown"],
)
def test_the_ids_of_what_follows_a_truncation_outlive_crashes(
    tmp_path: Path, away: bool, lines: tuple[str, ...]
) -> None:
    """`away`: while no agent ran; `grown`: and it is longer than it was before."""

    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        agent.stop()
        saved = agent.position
        if not away:
            agent.start()
        begin_again(tmp_path / NAME, *lines)
        for crash in range(3):  # before anything new was saved
            if away or crash:
                agent.position = saved
                agent.start()
            await agent.read(4)
            agent.stop()
        agent.start()  # and once after it
        write(tmp_path / NAME, "later")
        await agent.read(4)
        new = agent.rows[3:]
        assert {text for _, text in new} == {HEADER, *lines, "later"}
        assert len({id_ for id_, _ in new}) == len(lines) + 2
        assert not {id_ for id_, _ in new} & {id_ for id_, _ in agent.rows[:3]}

    run_virtual(go())


def test_a_released_batch_after_a_truncation_has_the_same_ids(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        agent = await begun(tmp_path, world)
        begin_again(tmp_path / NAME, "x")
        await world.clock.sleep(2)
        agent.look()
        await world.clock.sleep(2)
        agent.look()
        batch = await agent.feed.take(1 << 18)
        assert batch is not None
        first = batch.rows.ids("o")
        agent.feed.release(batch)
        batch = await agent.feed.take(1 << 18)
        assert batch is not None
        assert batch.rows.ids("o") == first

    run_virtual(go())


def test_unread_bytes_of_a_truncated_file_without_a_copy_are_a_loss_of_known_size(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        write(tmp_path / NAME, "never read")
        agent.look()
        begin_again(tmp_path / NAME, "x")
        await agent.read(4)
        assert agent.texts[3:] == [HEADER, "x"]
        assert [loss.bytes for loss in agent.losses] == [len("never read\n")]

    run_virtual(go())


def test_what_was_not_read_is_not_lost_before_one_has_looked_for_a_copy(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        agent = await begun(tmp_path, world)
        write(tmp_path / NAME, "in the copy alone")
        shutil.copy(tmp_path / NAME, tmp_path / f"{NAME}.1")
        begin_again(tmp_path / NAME, "x")
        for _ in range(5):  # nobody looks at the directory: only at the open file
            agent.follower.poll()
            await agent.read()
            await world.clock.sleep(1)
        await agent.read(4)
        assert agent.texts[3:] == ["in the copy alone", HEADER, "x"]
        assert agent.losses == []

    run_virtual(go())


def test_a_later_file_with_the_same_header_is_not_taken_for_one_that_is_gone(
    tmp_path: Path,
) -> None:
    """Lines of equal length: the saved place would fit the other file, too."""

    async def go() -> None:
        world = virtual_world()
        live = tmp_path / NAME
        write(live, HEADER, "line 1", "line 2")
        agent = Agent(tmp_path, world)
        await agent.read(2)
        agent.stop()
        for number in (1, 2, 3):
            for _ in renamed_compressed(live, number):
                pass
            write(live, HEADER, f"next {number}", "line 2")
        (tmp_path / f"{NAME}.3.gz").unlink()  # the one with the position
        agent.start()
        await agent.read(8)
        for number in (1, 2, 3):
            assert f"next {number}" in agent.texts

    run_virtual(go())


def test_routes_at_different_places_agree_on_names(tmp_path: Path) -> None:
    async def go() -> None:
        world = virtual_world()
        agent = await begun(tmp_path, world)
        behind = agent.feed.committed
        begin_again(tmp_path / NAME, "x")
        await agent.read(4)
        agent.stop()
        ahead = agent.position
        assert behind is not None
        assert ahead is not None
        agent.start()
        agent.follower.close()
        agent.follower.expect([behind, ahead])
        agent.follower.refresh()
        for position in (behind, ahead):
            feed = DiskFeed("q", agent.follower, world, position, lambda: None, Losses())
            agent.follower.add_feed(feed)
            agent.feed = feed
            agent.rows.clear()
            write(tmp_path / NAME, "y")
            await agent.read(5)
            assert agent.texts[-1] == "y"
            assert agent.rows[-1][0].startswith(feed_prefix(ahead.generation))

    run_virtual(go())


def feed_prefix(generation: Generation) -> str:
    return f"o{generation.time_ns:016x}"


class AnyContent:
    def continues(self, offset: int) -> bool:
        return True

    def now(self, other: object) -> tuple[int, int]:
        return 0, 0

    def repeats(self, other: object) -> bool:
        return False


@pytest.mark.parametrize("offset", [0, 50, 100])
def test_a_position_that_fits_is_where_the_live_file_goes_on(offset: int) -> None:
    naming = Naming()
    naming.expect([Position(Generation(1000, 5), offset)])
    assert naming.name(Sight((1, 1), 1000, 1, 100, 5, True, False), AnyContent()) == (1000, 5)


@pytest.mark.parametrize(
    ("digest", "size", "name"), [(6, 100, (1001, 6)), (5, 49, (1001, 5)), (5, 50, (1000, 5))]
)
def test_a_file_that_is_shorter_or_begins_otherwise_was_truncated(
    digest: int, size: int, name: tuple[int, int]
) -> None:
    naming = Naming()
    naming.expect([Position(Generation(1000, 5), 50)])
    seen = Sight((1, 1), 1000, 1, size, digest, True, False)
    assert naming.name(seen, AnyContent()) == name
