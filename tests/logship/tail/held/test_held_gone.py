"""A log of which nothing is left is a loss, told once, and no sooner than it is known."""

from pathlib import Path

from logship.tail.absent import ABSENT_SECS
from logship.tail.loss import Loss, Reason
from logship.testing.virtual_time import run_virtual
from tests.logship.tail.held.agent import Agent, at
from tests.logship.tail.held.away import ROWS, after_restart, begin, keep_five, read_rows


def test_what_was_settled_to_its_end_is_no_loss_when_it_is_gone(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, ROWS)
        keep_five(directory, 1)
        await agent.look(2)
        await agent.look(2)
        await agent.kill()
        for number in range(2, 6):
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        assert (found, losses) == (list(range(10, 60)), [])

    run_virtual(go())


def test_deleted_files_that_only_the_agent_had_are_lost_with_it_and_counted(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        for number in range(1, 8):
            keep_five(directory, number)
            await agent.look(2)
        await agent.look(2)
        assert agent.held.files
        assert agent.feed("a").waiting() == 7600
        await agent.kill()
        found, losses = await after_restart(tmp_path)
        assert found == list(range(30, 80))
        assert losses == [Loss(Reason.GENERATION_GONE, 2600, True, at(3), at(30))]

    run_virtual(go())


def test_a_log_of_which_nothing_is_left_is_a_loss_when_it_retires(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        agent = Agent(tmp_path)
        (directory / "0.log").unlink()
        agent.add("a")
        await agent.bind()
        agent.catalog.retire("a")
        for _ in range(4):
            await agent.deliver("a")
            await agent.look()
        assert agent.losses["r"] == [Loss(Reason.GENERATION_GONE, 600, False, at(3), 0)]
        agent.origins.sweep()
        assert agent.origins.entries == {}

    run_virtual(go())


async def wait_until_absent_is_told(agent: Agent) -> None:
    agent.catalog.complete()
    for _ in range(2):
        agent.origins.tell_absent()
        await agent.look(ABSENT_SECS)
    agent.origins.tell_absent()


def test_a_log_that_was_deleted_while_no_agent_ran_is_counted_once(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        (directory / "0.log").unlink()
        agent = Agent(tmp_path)
        await wait_until_absent_is_told(agent)
        assert agent.losses["r"] == [Loss(Reason.LOG_GONE, 600, False, at(3), 0)]
        counters = agent.routes["r"].counters.as_dict()
        assert counters["lost"] == {
            "shop": {"log_gone": {"events": 1, "bytes": 600, "exact": False}}
        }
        await agent.kill()
        agent = Agent(tmp_path)
        await wait_until_absent_is_told(agent)
        assert agent.losses["r"] == []

    run_virtual(go())


def test_a_log_that_is_there_again_or_was_delivered_is_no_loss(tmp_path: Path) -> None:
    async def go() -> None:
        begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        agent = Agent(tmp_path)
        await read_rows(agent, 6)  # it is there
        agent.catalog.retire("a")
        await agent.deliver("a")
        await wait_until_absent_is_told(agent)
        assert agent.losses["r"] == []
        await agent.kill()
        agent = Agent(tmp_path)
        await wait_until_absent_is_told(agent)
        assert agent.losses["r"] == []

    run_virtual(go())


def test_nothing_is_told_while_a_source_has_not_said_what_is_there(tmp_path: Path) -> None:
    async def go() -> None:
        begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        agent = Agent(tmp_path)
        await agent.look(ABSENT_SECS * 9)
        agent.origins.tell_absent()
        assert agent.losses["r"] == []

    run_virtual(go())
