"""Where no more files can be opened, what is open goes on, and the rest waits."""

import asyncio
import errno
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from logship.tail.descriptors import RESERVED, Descriptors
from logship.tail.loss import Reason
from logship.world import Clock
from tests.logship.tail.held.agent import Agent, lines, numbers, on_agent

LIMIT = 12
"""Of descriptors: nine of them for logs."""


async def fourteen_pods(agent: Agent, tmp_path: Path) -> None:
    for n in range(14):
        (tmp_path / f"p{n}").mkdir()
        (tmp_path / f"p{n}" / "0.log").write_bytes(lines(n, 1))
        agent.add(f"p{n}")
    await agent.bind()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_files_wait_until_descriptors_are_free_and_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(agent: Agent) -> None:
        await fourteen_pods(agent, tmp_path)
        assert len(agent.disk.open_fds) == 9
        for _ in range(5):
            await agent.look()
        assert len(agent.disk.open_fds) == 9
        assert [text for text in said(caplog) if "no more files can be opened" in text] == [
            "no more files can be opened (9 logs are open, the limit is 12): new ones wait, and are"
            " lost if they are deleted before; raise the hard limit of open files (ulimit -Hn), or"
            " lower held.max_files"
        ]
        assert len(said(caplog)) == 1
        with (tmp_path / "p3" / "0.log").open("ab") as live:
            live.write(lines(103, 1))
        await agent.look()
        assert numbers(await agent.deliver("p3")) == [3, 103]  # what is open goes on
        assert await agent.deliver("p12") == []
        for n in range(6):
            await agent.deliver(f"p{n}")
            (tmp_path / f"p{n}" / "0.log").unlink()
            agent.catalog.retire(f"p{n}")
        await agent.look()
        for n in range(6):
            await agent.deliver(f"p{n}")
        agent.origins.sweep()
        await agent.look()
        assert numbers(await agent.deliver("p12")) == [12]
        assert agent.lost() == []

    on_agent(tmp_path, work, limit=LIMIT)


def test_the_limit_of_the_kernel_is_survived_in_the_same_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(agent: Agent) -> None:
        opened = agent.disk.open
        scanned = agent.disk.scan

        def none_left(path: str, roots: Sequence[str] = ()) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        def no_directory(directory: str) -> list[object]:
            raise OSError(errno.EMFILE, "Too many open files")

        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "0.log").write_bytes(lines(0, 2))
        agent.disk.open = none_left  # type: ignore[method-assign]
        agent.add("a")
        agent.disk.scan = no_directory  # type: ignore[method-assign, assignment]
        agent.catalog.touch("a")
        agent.disk.scan = scanned  # type: ignore[method-assign]
        await agent.bind()
        assert await agent.deliver("a") == []
        agent.disk.open = opened  # type: ignore[method-assign]
        await agent.look()
        assert numbers(await agent.deliver("a")) == [0, 1]
        assert len(said(caplog)) == 1

    on_agent(tmp_path, work)


def test_a_file_that_is_deleted_before_it_could_be_opened_is_a_loss(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await fourteen_pods(agent, tmp_path)
        with (tmp_path / "p13" / "0.log").open("ab") as live:
            live.write(lines(20, 3))
        await agent.look()
        (tmp_path / "p13" / "0.log").unlink()
        await agent.look()
        await agent.look()
        assert agent.lost() == [(Reason.NEVER_OPENED, 400, False)]

    on_agent(tmp_path, work, limit=LIMIT)


@pytest.mark.parametrize("reused", [True, False], ids=["same inode", "another inode"])
def test_a_file_that_is_replaced_before_it_could_be_opened_is_a_loss(
    tmp_path: Path, *, reused: bool
) -> None:
    async def work(agent: Agent) -> None:
        await fourteen_pods(agent, tmp_path)
        live = tmp_path / "p13" / "0.log"
        live.write_bytes(lines(20, 3))
        await agent.look()
        new = live if reused else tmp_path / "p13" / "new"
        new.write_bytes(lines(50, 1))
        new.replace(live)
        await agent.look()
        await agent.look()
        assert agent.lost() == [(Reason.NEVER_OPENED, 300, False)]

    on_agent(tmp_path, work, limit=LIMIT)


def test_a_file_that_is_renamed_before_it_could_be_opened_is_none(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        await fourteen_pods(agent, tmp_path)
        live = tmp_path / "p13" / "0.log"
        live.rename(tmp_path / "p13" / "0.log.1")
        await agent.look()
        live.write_bytes(lines(50, 1))
        await agent.look()
        agent.origins.descriptors.most = 20
        await agent.look()
        found = numbers(await agent.deliver("p13"))
        await agent.look()
        assert [*found, *numbers(await agent.deliver("p13"))] == [13, 50]
        assert agent.lost() == []

    on_agent(tmp_path, work, limit=LIMIT)


def test_a_log_whose_first_file_vanishes_while_it_is_opened_is_a_loss(tmp_path: Path) -> None:
    async def work(agent: Agent) -> None:
        (tmp_path / "a").mkdir()
        live = tmp_path / "a" / "0.log"
        live.write_bytes(lines(0, 1))
        agent.add("a")
        await agent.bind()
        assert numbers(await agent.deliver("a")) == [0]
        live.unlink()
        live.write_bytes(lines(1, 5))
        opened = agent.disk.open

        def too_late(path: str, roots: Sequence[str] = ()) -> int:
            live.unlink()
            agent.disk.open = opened  # type: ignore[method-assign]
            return opened(path, roots)

        agent.disk.open = too_late  # type: ignore[method-assign]
        await agent.look()
        assert agent.lost() == [(Reason.NEVER_OPENED, 500, False)]

    on_agent(tmp_path, work)


def test_a_limit_that_may_not_be_enough_is_said_with_numbers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    descriptors = Descriptors(4096, Clock(), logging.getLogger("test"))
    descriptors.check(1000, 500)
    assert caplog.records == []
    descriptors.check(10_000, 500)
    descriptors.check(10_000, 501)
    assert said(caplog) == [
        f"{10_500 + RESERVED} open files may be needed (held.max_files 10000, 500 logs that are"
        f" followed, {RESERVED} for all else), but the limit is 4096: raise the hard limit of open"
        " files (ulimit -Hn), or lower held.max_files"
    ]


def test_it_is_said_again_only_after_a_minute_without_failures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def work(agent: Agent) -> None:
        descriptors = agent.origins.descriptors
        full = OSError(errno.EMFILE, "Too many open files")
        for _ in range(100):
            assert descriptors.failed(full)
            descriptors.opened()
            descriptors.closed()
            await asyncio.sleep(10)
        assert len(said(caplog)) == 1
        await asyncio.sleep(61)
        descriptors.opened()
        assert "can be opened again" in said(caplog)[1]
        assert not descriptors.failed(OSError(errno.EACCES, "Permission denied"))

    on_agent(tmp_path, work)
