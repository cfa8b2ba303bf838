"""What a file that is let go means for what was read of it, and for what nobody needs."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from logship.rows.address import Position
from logship.tail.loss import Reason
from logship.tail.start import start_position
from tests.logship.tail.held.agent import Agent, at, lines, numbers, on_agent, rotate


async def one_deleted_file(agent: Agent, tmp_path: Path) -> None:
    """Rows 0-9 in a deleted file, row 10 in the live one."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.log").write_bytes(lines(0, 10))
    agent.add("a")
    await agent.bind()
    old = rotate(tmp_path / "a", 1, lines(10, 1))
    await agent.look(held=False)
    old.unlink()
    await agent.look(held=False)  # quiet since the rotation


def test_what_is_on_its_way_when_the_file_is_let_go_is_not_lost(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        first = await agent.feed("a").take(300)
        assert first is not None
        await agent.look()
        assert agent.lost() == [(Reason.MAX_BYTES, 700, True)]
        agent.feed("a").settle(first)
        assert numbers(await agent.deliver("a")) == [10]
        assert agent.feed("a").settled
        assert agent.feed("a").waiting() == 0
        assert agent.lost() == [(Reason.MAX_BYTES, 700, True)]
        assert len(agent.disk.open_fds) == 1

    on_agent(tmp_path, work, max_bytes=0)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_what_was_released_is_counted_once(tmp_path: Path, *, before: bool) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        feed = agent.feed("a")
        first, second = await feed.take(300), await feed.take(200)
        assert first is not None
        assert second is not None
        if before:
            feed.release(second)
        await agent.look()
        if not before:
            assert agent.lost() == [(Reason.MAX_BYTES, 500, True)]
            feed.release(second)
            assert agent.lost()[1:] == [(Reason.RELEASED_GONE, 200, True)]
        assert sum(size for _, size, _ in agent.lost()) == 700
        feed.settle(first)
        assert numbers(await agent.deliver("a")) == [10]
        assert feed.settled
        assert sum(size for _, size, _ in agent.lost()) == 700

    on_agent(tmp_path, work, max_bytes=0)


def test_a_file_that_is_being_read_is_closed_after_the_read_and_not_before(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        out = await agent.feed("a").take(100)
        assert out is not None
        (log, _) = agent.feed("a").follower.generations
        fd, read = log.fd, agent.disk.read

        async def slow(fd: int, size: int, offset: int) -> bytes:
            await asyncio.sleep(5)  # as a thread that waits for the disk
            return await read(fd, size, offset)

        agent.disk.read = slow  # type: ignore[method-assign]
        taking = asyncio.ensure_future(agent.feed("a").take(300))
        await agent.look()
        assert agent.lost() == [(Reason.MAX_BYTES, 900, True)]
        os.fstat(fd)  # raises if it were closed
        batch = await taking
        assert batch is not None
        assert numbers(batch.rows.texts) == [10]  # and not rows that count as lost
        await agent.look()
        assert fd not in agent.disk.open_fds

    on_agent(tmp_path, work, max_bytes=0)


def test_an_unfinished_line_of_a_file_that_is_let_go_is_delivered(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 2) + lines(2, 1)[:60])
        agent.add("a")
        await agent.bind()
        assert numbers(await agent.deliver("a")) == [0, 1]
        (tmp_path / "a" / "0.log").unlink()
        (tmp_path / "a" / "0.log").write_bytes(lines(3, 1))
        await agent.look()
        assert await agent.deliver("a")
        assert agent.lost() == []
        assert agent.feed("a").settled

    on_agent(tmp_path, work, max_bytes=0)


def test_an_origin_that_waits_for_its_metadata_is_held_and_its_routes_are_told_later(
    tmp_path: Path,
) -> None:
    async def work(agent: Agent) -> None:
        for pod, first in (("a", 0), ("b", 10)):
            (tmp_path / pod).mkdir()
            (tmp_path / pod / "0.log").write_bytes(lines(first, 10))
            agent.add(pod)
            (tmp_path / pod / "0.log").unlink()
            agent.catalog.retire(pod)
        await agent.look()
        assert agent.held.files == 1
        assert agent.lost("r") == agent.lost("q") == []
        await agent.bind()
        assert agent.lost("r") == agent.lost("q") == [(Reason.MAX_BYTES, 1000, True)]
        assert numbers(await agent.deliver("a")) == []
        assert numbers(await agent.deliver("b")) == list(range(10, 20))

    on_agent(tmp_path, work, "r", "q", max_bytes=1000)


def test_what_nobody_reads_is_closed_at_once(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        await agent.deliver("a")
        assert len(agent.disk.open_fds) == 1
        (tmp_path / "a" / "0.log").unlink()
        agent.catalog.retire("a")
        await agent.look()
        await agent.deliver("a")
        agent.origins.sweep()
        assert agent.disk.open_fds == set()
        agent.origins.binder.rules.clear()  # no route takes it
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "0.log").write_bytes(lines(0, 1))
        agent.add("b")
        await agent.bind()
        assert agent.origins.unmatched == 1
        assert agent.disk.open_fds == set()

    on_agent(tmp_path, work)


def test_a_file_that_nobody_writes_to_is_looked_at_once_a_second(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        await agent.look(5)
        (follower,) = agent.origins.followers()
        counted = _counting(agent)
        for _ in range(100):
            await asyncio.sleep(0.05)
            follower.poll()
        old, live = (log.fd for log in follower.generations)
        assert counted(live) == 100
        assert 4 <= counted(old) <= 6

    on_agent(tmp_path, work)


def _counting(agent: Agent) -> Callable[[int], int]:
    calls: list[int] = []
    fstat = agent.disk.fstat

    def counting(fd: int):  # type: ignore[no-untyped-def]
        calls.append(fd)
        return fstat(fd)

    agent.disk.fstat = counting  # type: ignore[method-assign]
    return calls.count


def test_a_storm_of_losses_is_a_bounded_number_of_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(agent: Agent) -> None:
        for n in range(50):
            directory = tmp_path / f"p{n}"
            directory.mkdir()
            (directory / "0.log").write_bytes(lines(n, 1))
            agent.add(f"p{n}")
            await agent.bind()
            (directory / "0.log").unlink()
        await agent.look()
        assert len(agent.lost()) == 50
        said = [r.getMessage() for r in caplog.records]
        assert len(said) == 10
        assert said[0].startswith(
            "route r lost rows of pod shop/p0, container app (p0) (100 bytes at least, from a time"
        )
        await asyncio.sleep(61)
        agent.origins.loss_log.flush()
        assert caplog.records[-1].getMessage() == (
            "40 more losses, 4000 bytes at least: see `lost` in /status"
        )

    on_agent(tmp_path, work, max_bytes=0)


def test_rows_before_start_from_do_not_count_as_lost(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await one_deleted_file(agent, tmp_path)
        await agent.look()
        (follower,) = agent.origins.followers()
        first = follower.generations[0].generation
        assert await start_position(follower, agent.world, at(5)) == Position(first, 1000)
        assert await start_position(follower, agent.world, at(0)) == Position(first, 0)

    on_agent(tmp_path, work, max_bytes=0)
