"""copytruncate of files whose lines have no times: every order of copy, truncation and look."""

import os
import shutil
from pathlib import Path

import pytest

from logship.testing.virtual_time import run_virtual, virtual_world
from logship.world import World
from tests.logship.identity.rotating import NAME, Agent, shift, write

FIRST = ("first", "second line")


async def begun(directory: Path, world: World) -> Agent:
    write(directory / NAME, *FIRST)
    agent = Agent(directory, world)
    await agent.read(2)
    assert agent.texts == list(FIRST)
    return agent


def copy(live: Path) -> None:
    for _ in shift(live):
        pass
    shutil.copyfile(live, live.with_name(f"{live.name}.1"))


def ids_of(agent: Agent) -> list[str]:
    return [id_ for id_, _ in agent.rows]


def has_ids_of_one_file(ids: list[str]) -> bool:
    """All but the offset."""
    return len({id_[:-12] for id_ in ids}) == 1


LOOKS = ["directory", "file", "both", "no"]


def look(agent: Agent, what: str) -> None:
    if what in ("directory", "both"):
        agent.follower.refresh()
    if what in ("file", "both"):
        agent.follower.poll()


@pytest.mark.parametrize("after", LOOKS)
@pytest.mark.parametrize("between", LOOKS)
@pytest.mark.parametrize("written", [(), ("new",), ("new", "x" * 200)], ids=["", "new", "more"])
def test_what_is_in_the_copy_alone_is_read_there(
    tmp_path: Path, between: str, after: str, written: tuple[str, ...]
) -> None:
    """`between` copying and truncating, and `after` that, somebody looks; `written` before."""

    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live = tmp_path / NAME
        write(live, "in the copy alone")
        copy(live)
        look(agent, between)
        os.truncate(live, 0)
        write(live, *written)
        look(agent, after)
        write(live, "later")
        await agent.read(5)
        assert agent.texts == [*FIRST, "in the copy alone", *written, "later"]
        ids = ids_of(agent)
        assert has_ids_of_one_file(ids[:3])
        assert has_ids_of_one_file(ids[3:])
        assert ids == sorted(set(ids))
        assert agent.losses == []

    run_virtual(go())


@pytest.mark.parametrize("between", LOOKS)
def test_older_copies_are_not_read_again(tmp_path: Path, between: str) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live, texts = tmp_path / NAME, list(FIRST)
        for number in range(4):
            write(live, f"unread {number}")
            copy(live)
            look(agent, between)
            os.truncate(live, 0)
            write(live, f"first of {number}")
            look(agent, "directory")
            texts += [f"unread {number}", f"first of {number}"]
            await agent.read(4)
        assert agent.texts == texts
        assert agent.losses == []

    run_virtual(go())


def test_copies_that_were_there_at_the_start_are_not_read_again_after_a_truncation(
    tmp_path: Path,
) -> None:
    """Their births are later than the name of the live file."""

    async def go() -> None:
        live = tmp_path / NAME
        write(live, "oldest")
        copy(live)
        os.truncate(live, 0)
        write(live, "newer")
        agent = Agent(tmp_path, virtual_world())
        await agent.read(4)
        before = list(agent.texts)
        assert sorted(before) == ["newer", "oldest"]
        copy(live)
        os.truncate(live, 0)
        write(live, "newest")
        await agent.read(4)
        assert agent.texts == [*before, "newest"]

    run_virtual(go())


def test_a_copy_that_lacks_what_was_read_before_the_truncation_is_not_read_again(
    tmp_path: Path,
) -> None:
    """Written between copying and truncating, and seen."""

    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live = tmp_path / NAME
        copy(live)
        write(live, "between")
        agent.follower.poll()
        await agent.read()
        os.truncate(live, 0)
        write(live, "new")
        agent.follower.poll()
        await agent.read(4)
        assert agent.texts == [*FIRST, "between", "new"]
        assert agent.losses == []

    run_virtual(go())


def test_what_the_copy_lacks_is_a_loss_and_the_rest_is_read_there(tmp_path: Path) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live = tmp_path / NAME
        write(live, "in the copy")
        copy(live)
        write(live, "between")
        agent.follower.poll()  # seen, and not read
        os.truncate(live, 0)
        write(live, "new")
        agent.follower.poll()
        await agent.read(4)
        assert agent.texts == [*FIRST, "in the copy", "new"]
        assert [loss.bytes for loss in agent.losses] == [len("between\n")]

    run_virtual(go())


def test_a_copy_that_was_seen_empty_is_told_after_the_truncation(tmp_path: Path) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live = tmp_path / NAME
        write(live, "in the copy alone")
        body = live.read_bytes()
        turned = live.with_name(f"{NAME}.1")
        turned.touch()
        agent.follower.refresh()
        turned.write_bytes(body)
        os.truncate(live, 0)
        write(live, "new")
        agent.follower.poll()
        await agent.read(4)
        assert agent.texts == [*FIRST, "in the copy alone", "new"]
        assert agent.losses == []

    run_virtual(go())


def test_dated_copies_are_read_once(tmp_path: Path) -> None:
    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live, texts = tmp_path / NAME, list(FIRST)
        for number in (1, 2, 3):
            write(live, f"unread {number}")
            shutil.copyfile(live, live.with_name(f"{NAME}-2026030{number}"))
            os.truncate(live, 0)
            write(live, f"first of {number}")
            agent.look()
            texts += [f"unread {number}", f"first of {number}"]
            await agent.read(4)
        assert agent.texts == texts
        assert agent.losses == []

    run_virtual(go())


def test_a_copy_that_is_seen_before_the_first_line_of_the_live_file_is_read_once(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        live = tmp_path / NAME
        live.touch()
        agent = Agent(tmp_path, virtual_world())
        await agent.read(2)
        write(live, *FIRST)
        copy(live)
        agent.follower.refresh()
        await agent.read(1)
        os.truncate(live, 0)
        write(live, "new")
        await agent.read(4)
        assert agent.texts == [*FIRST, "new"]
        assert has_ids_of_one_file(ids_of(agent)[:2])

    run_virtual(go())


@pytest.mark.parametrize("released", ["before", "after"])
@pytest.mark.parametrize("between", LOOKS)
def test_what_a_sink_gave_back_is_read_again_in_the_copy(
    tmp_path: Path, between: str, released: str
) -> None:
    """`released`: before or after somebody noticed the truncation."""

    async def go() -> None:
        agent = await begun(tmp_path, virtual_world())
        live = tmp_path / NAME
        write(live, "given back")
        agent.follower.poll()
        batch = await agent.feed.take(1 << 18)
        assert batch is not None
        copy(live)
        look(agent, between)
        os.truncate(live, 0)
        write(live, "new")
        if released == "after":
            agent.follower.poll()
        agent.feed.release(batch)
        await agent.read(4)
        assert agent.texts == [*FIRST, "given back", "new"]
        assert agent.losses == []

    run_virtual(go())
