"""Files that are rotated with nothing but the beginning of a line in them."""

import os
from pathlib import Path

import pytest

from logship.rows.index import Cutting
from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.identity.rotating import NAME, Agent, write
from tests.logship.identity.stage import CRI, PLAIN

PARTIAL = {"plain": "no newline", "cri": "2026-03-01T10:00:00.000000000Z stdout F no new"}
LINE = {"plain": "next", "cri": "2026-03-01T10:00:05.000000000Z stdout F next"}
BOTH = pytest.mark.parametrize("cutting", [PLAIN, CRI], ids=["plain", "cri"])


async def begun(directory: Path, world: World, cutting: Cutting) -> Agent:
    (directory / NAME).write_text(PARTIAL[cutting.format])
    agent = Agent(directory, world, cutting)
    await agent.read(4)
    assert agent.rows == []
    return agent


def rotate(live: Path) -> Path:
    return live.rename(live.with_name(f"{live.name}.1"))


def note_written(path: Path, world: World, ago: int) -> None:
    """So many (virtual) seconds ago."""
    at = world.clock.wall_ns() - ago * 1_000_000_000
    os.utime(path, ns=(at, at))


@BOTH
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
def test_an_unfinished_line_is_delivered_once_its_file_has_ended(
    tmp_path: Path, cutting: Cutting, seen: bool
) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world(), cutting)
        live = tmp_path / NAME
        turned = rotate(live)
        if seen:
            agent.look()
        write(live, LINE[cutting.format])
        await agent.read(5)
        assert len(agent.texts) == 2
        assert any("no new" in text for text in agent.texts)
        assert agent.losses == []
        assert agent.feed.settled
        ids = [id_ for id_, _ in agent.rows]
        for _ in range(2):
            agent.stop()
            note_written(turned, agent.world, 5)
            agent.start()
            await agent.read(4)
        assert [id_ for id_, _ in agent.rows] == ids  # not again

    run_virtual(go())


@BOTH
def test_a_line_that_is_finished_after_the_renaming_is_one_row(
    tmp_path: Path, cutting: Cutting
) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world(), cutting)
        live = tmp_path / NAME
        turned = rotate(live)
        write(live, LINE[cutting.format])
        agent.look()
        await agent.world.clock.sleep(0.5)
        agent.look()
        write(turned, " any more")
        await agent.read(5)
        assert len(agent.texts) == 2
        assert any(text.endswith("any more") for text in agent.texts)

    run_virtual(go())


def test_a_file_that_was_empty_when_it_was_renamed_is_read(tmp_path: Path) -> None:
    async def go() -> None:
        live = tmp_path / NAME
        live.touch()
        agent = Agent(tmp_path, virtual_world())
        await agent.read(2)
        turned = rotate(live)
        write(live, "next")
        await agent.read(3)
        write(turned, "by a writer that has not reopened its log")
        await agent.read(4)
        assert sorted(agent.texts) == ["by a writer that has not reopened its log", "next"]

    run_virtual(go())


@BOTH
@pytest.mark.parametrize("later", [0, 3], ids=["at once", "later"])
def test_an_agent_that_was_away_delivers_it(tmp_path: Path, cutting: Cutting, later: int) -> None:
    """`later`: how many seconds after the last write the agent starts."""

    async def go() -> None:
        world = virtual_world()
        (tmp_path / NAME).write_text(PARTIAL[cutting.format])
        turned = rotate(tmp_path / NAME)
        note_written(turned, world, later)
        write(tmp_path / NAME, LINE[cutting.format])
        agent = Agent(tmp_path, world, cutting)
        await agent.read(5)
        assert len(agent.texts) == 2
        assert any("no new" in text for text in agent.texts)

    run_virtual(go())


def test_the_unfinished_line_of_the_live_file_waits(tmp_path: Path) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world(), PLAIN)
        await agent.read(20)
        assert agent.rows == []
        write(tmp_path / NAME, ", until now")
        await agent.read(3)
        assert agent.texts == ["no newline, until now"]

    run_virtual(go())
