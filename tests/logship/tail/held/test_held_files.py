"""Deleted files are held until they are read; beyond the bounds they are let go, and counted."""

import asyncio
import gzip
from pathlib import Path

from logship.tail.loss import Reason
from logship.world import Space
from tests.logship.tail.held.agent import Agent, at, lines, numbers, on_agent, rotate


def test_a_file_is_open_as_soon_as_it_was_added(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 3))
        agent.add("a")
        (tmp_path / "a" / "0.log").unlink()  # no pulse and no binding in between
        await agent.bind()
        await agent.look()
        assert numbers(await agent.deliver("a")) == [0, 1, 2]
        assert agent.lost() == []

    on_agent(tmp_path, work)


async def two_pods_with_deleted_files(agent: Agent, tmp_path: Path) -> None:
    """a: rows 0-9, 20-29 deleted, 40 live; b: rows 10-19 deleted, 30 live. Nothing is read."""
    for pod, first in (("a", 0), ("b", 10)):
        (tmp_path / pod).mkdir()
        (tmp_path / pod / "0.log").write_bytes(lines(first, 10))
        agent.add(pod)
    await agent.bind()
    old = [rotate(tmp_path / "a", 1, lines(20, 10)), rotate(tmp_path / "b", 1, lines(30, 1))]
    await agent.look(held=False)
    old.append(rotate(tmp_path / "a", 2, lines(40, 1)))
    await agent.look(held=False)
    for path in old:
        path.unlink()
    await agent.look(held=False)  # quiet since the rotation


def test_the_oldest_are_let_go_over_all_origins_and_nothing_else_is_lost(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await two_pods_with_deleted_files(agent, tmp_path)
        await agent.look()
        assert (agent.held.files, agent.held.bytes) == (1, 1000)
        assert agent.lost() == [(Reason.MAX_BYTES, 1000, True), (Reason.MAX_BYTES, 1000, True)]
        assert [loss.found_ns for loss in agent.losses["r"]] == [at(20), at(30)]
        assert numbers(await agent.deliver("a")) == [*range(20, 30), 40]
        assert numbers(await agent.deliver("b")) == [30]
        await agent.look()
        assert (agent.held.files, agent.held.bytes) == (0, 0)
        assert len(agent.lost()) == 2
        shown = agent.routes["r"].counters.as_dict()
        assert shown["lost"] == {
            "shop": {"held_max_bytes": {"events": 2, "bytes": 2000, "exact": True}}
        }
        assert (shown["lost_events"], shown["lost_bytes"]) == (2, 2000)
        assert len(agent.disk.open_fds) == 2  # the live ones

    on_agent(tmp_path, work, max_bytes=1999)


def test_files_within_the_bounds_are_held_and_delivered(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await two_pods_with_deleted_files(agent, tmp_path)
        await agent.look()
        assert (agent.held.files, agent.held.bytes) == (3, 3000)
        await agent.look(3600)
        assert numbers(await agent.deliver("a")) == [*range(10), *range(20, 30), 40]
        assert numbers(await agent.deliver("b")) == [*range(10, 20), 30]
        assert agent.lost() == []
        assert len(agent.disk.open_fds) == 2

    on_agent(tmp_path, work, max_bytes=3000, max_files=3)


def test_max_files_lets_go_of_the_oldest(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await two_pods_with_deleted_files(agent, tmp_path)
        await agent.look()
        assert agent.lost() == [(Reason.MAX_FILES, 1000, True)]
        assert numbers(await agent.deliver("b")) == [*range(10, 20), 30]

    on_agent(tmp_path, work, max_files=2)


def test_a_disk_that_fills_up_lets_go_of_the_oldest_as_far_as_needed(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await two_pods_with_deleted_files(agent, tmp_path)
        agent.disk.full = Space(100_000, 12_001)
        await agent.look()
        assert agent.lost() == []
        agent.disk.full = Space(100_000, 11_999)
        await agent.look()
        assert agent.lost() == [(Reason.DISK_FULL, 1000, True)]
        agent.disk.full = Space(100_000, 10_500)
        await agent.look()
        assert len(agent.lost()) == 3

    on_agent(tmp_path, work)


def test_a_file_with_a_compressed_copy_goes_on_in_that(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 10))
        agent.add("a")
        await agent.bind()
        first = await agent.feed("a").take(300)
        assert first is not None
        old = rotate(tmp_path / "a", 1, lines(10, 1))
        await agent.look(held=False)
        Path(f"{old}.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
        await agent.look(held=False)
        agent.feed("a").release(first)
        await agent.look()
        assert agent.lost() == []
        assert agent.held.files == 0
        assert sorted(numbers(await agent.deliver("a"))) == list(range(11))
        Path(f"{old}.gz").unlink()
        await agent.look()
        assert agent.lost() == []

    on_agent(tmp_path, work, max_bytes=0)


def test_a_copy_that_was_made_a_moment_before_is_found(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 10))
        agent.add("a")
        await agent.bind()
        old = rotate(tmp_path / "a", 1, lines(10, 1))
        await agent.look(3)
        Path(f"{old}.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
        (follower,) = agent.origins.followers()
        await asyncio.sleep(1.1)
        follower.poll()  # it sees the deletion before it has seen the copy
        assert follower.generations[0].links == 0
        agent.held.look([follower])
        assert agent.lost() == []
        assert numbers(await agent.deliver("a")) == list(range(11))

    on_agent(tmp_path, work, max_bytes=0)


def test_a_copy_that_is_deleted_too_is_held_and_bounded_like_the_file(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 10))
        agent.add("a")
        await agent.bind()
        old = rotate(tmp_path / "a", 1, lines(10, 1))
        await agent.look(held=False)
        Path(f"{old}.gz").write_bytes(gzip.compress(old.read_bytes()))
        old.unlink()
        await agent.look()
        Path(f"{old}.gz").unlink()
        await agent.look()
        assert agent.lost() == [(Reason.MAX_BYTES, 1000, True)]
        assert numbers(await agent.deliver("a")) == [10]

    on_agent(tmp_path, work, max_bytes=0)


def test_the_file_stays_for_the_slowest_route_and_only_that_one_loses(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await two_pods_with_deleted_files(agent, tmp_path)
        assert numbers(await agent.deliver("a", "fast")) == [*range(10), *range(20, 30), 40]
        first = await agent.feed("a", "slow").take(300)
        assert first is not None
        agent.feed("a", "slow").settle(first)
        assert numbers(await agent.deliver("b", "fast")) == [*range(10, 20), 30]
        await agent.look()
        assert agent.held.bytes == 2700
        agent.held.bounds = _Bounds(0)
        await agent.look()
        assert agent.lost("fast") == []
        assert sorted(size for _, size, _ in agent.lost("slow")) == [700, 1000, 1000]
        first_loss = agent.losses["slow"][0]
        assert (first_loss.settled_ns, first_loss.found_ns) == (at(2), at(20))

    on_agent(tmp_path, work, "fast", "slow")


class _Bounds:
    max_files = 1 << 20
    min_free_percent = 0.0

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
