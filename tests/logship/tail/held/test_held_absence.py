"""What an agent that was away can still read arrives; what it cannot is a loss with numbers."""

import gzip
import re
from pathlib import Path

import pytest

from logship.checkpoint import FILE_NAME
from logship.journal import HEADER, Key, line, parse
from logship.tail.absent import ABSENT_SECS
from logship.tail.loss import NOTHING_KNOWN, Loss, Reason
from logship.testing.virtual_time import run_virtual
from tests.logship.tail.held.agent import Agent, at, lines, numbers, rotate

ROWS = 10
"""In each file."""


def keep_five(directory: Path, number: int) -> None:
    """A rotation as the kubelet makes it: the live file, one plain one, three compressed."""
    rotated = sorted(path for path in directory.iterdir() if path.name != "0.log")
    for path in rotated[:-3]:
        path.unlink()
    for path in rotated:
        if path.exists() and path.suffix != ".gz":
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    rotate(directory, number, lines(number * ROWS, ROWS))


def begin(tmp_path: Path) -> Path:
    """File 0 is there, with rows 0-9."""
    directory = tmp_path / "a"
    directory.mkdir()
    (directory / "0.log").write_bytes(lines(0, ROWS))
    return directory


async def read_rows(agent: Agent, count: int) -> None:
    """Read and settle so many rows; what is read further stays unsettled."""
    agent.add("a")
    await agent.bind()
    if count:
        batch = await agent.feed("a").take(count * 100)
        assert batch is not None
        assert len(batch.rows) == count
        agent.feed("a").settle(batch)


async def after_restart(tmp_path: Path) -> tuple[list[int], list[Loss]]:
    """The rows that the next agent finds, in their order, and what it says is lost."""
    agent = Agent(tmp_path)
    agent.add("a")
    await agent.bind()
    found = []
    for _ in range(4):
        found += numbers(await agent.deliver("a"))
        await agent.look()
    assert agent.feed("a").waiting() == 0
    losses = agent.losses["r"]
    await agent.kill()
    return found, losses


def test_away_for_four_rotations_nothing_is_lost(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        for number in range(1, 5):
            keep_five(directory, number)
        assert await after_restart(tmp_path) == (list(range(4, 50)), [])

    run_virtual(go())


def test_away_for_eight_rotations_all_that_is_there_arrives_and_the_rest_is_a_loss(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        with (directory / "0.log").open("ab") as live:
            live.write(b"x" * 50 + b"\n")  # nobody has seen it: more than the known 600 bytes
        for number in range(1, 9):
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        assert found == list(range(40, 90))
        assert losses == [Loss(Reason.GENERATION_GONE, 600, False, at(3), at(40))]

    run_virtual(go())


def test_the_loss_is_exact_where_the_end_of_the_generation_was_seen(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        keep_five(directory, 1)
        await agent.look()
        await agent.look()
        await agent.kill()
        for number in range(2, 6):  # file 0 goes, file 1 is the oldest that stays
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        assert found == list(range(10, 60))
        assert losses == [Loss(Reason.GENERATION_GONE, 600, True, at(3), at(10))]

    run_virtual(go())


def test_several_generations_whose_ends_were_seen_are_lost_exactly(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        for number in (1, 2, 3):
            keep_five(directory, number)
            await agent.look(2)
        await agent.look(2)
        await agent.kill()
        for number in (4, 5, 6, 7):  # files 0, 1 and 2 go
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        assert found == list(range(30, 80))
        assert losses == [Loss(Reason.GENERATION_GONE, 2600, True, at(3), at(30))]

    run_virtual(go())


def test_a_file_that_could_still_grow_when_the_agent_went_is_lost_at_least(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.look()
        keep_five(directory, 1)
        with (directory / "0.log.20261123-000001").open("ab") as renamed:
            renamed.write(lines(9, 1))  # the runtime has not reopened its log
        await agent.look(0.1)
        await agent.kill()
        for number in range(2, 6):
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        assert found == list(range(10, 60))
        assert losses == [Loss(Reason.GENERATION_GONE, 700, False, at(3), at(10))]

    run_virtual(go())


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


def test_a_gap_of_unknown_size_is_a_loss_of_which_nobody_knows_the_bytes(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, ROWS)  # all that is there: more will come
        await agent.kill()
        for number in range(1, 9):
            keep_five(directory, number)
        _, (loss,) = await after_restart(tmp_path)
        assert loss == Loss(Reason.GENERATION_GONE, 0, False, at(9), at(40))
        assert re.match(r"\(nobody knows how many bytes, from \S+09Z? to \S+\)", str(loss)) or (
            "nobody knows how many bytes" in str(loss)
        )

    run_virtual(go())


def test_rows_that_were_settled_before_others_do_not_count_as_lost(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 0)
        out = [await agent.feed("a").take(300) for _ in range(3)]
        assert out[1] is not None
        agent.feed("a").settle(out[1])  # rows 3-5; 0-2 and 6-8 are on their way
        await agent.kill()
        for number in range(1, 9):
            keep_five(directory, number)
        _, losses = await after_restart(tmp_path)
        assert losses == [Loss(Reason.GENERATION_GONE, 700, False, 0, at(40))]

    run_virtual(go())


def test_a_second_restart_before_the_gap_is_found_keeps_what_was_known(tmp_path: Path) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        for number in range(1, 9):
            keep_five(directory, number)
        agent = Agent(tmp_path)
        agent.add("a")
        await agent.bind()
        await agent.feed("a").take(100)  # it searches the generation still
        await agent.kill()
        _, losses = await after_restart(tmp_path)
        assert losses == [Loss(Reason.GENERATION_GONE, 600, False, at(3), at(40))]
        _, losses = await after_restart(tmp_path)
        assert losses == []  # it was told once

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


@pytest.mark.parametrize("rotations", [4, 8])
def test_a_checkpoint_without_these_fields_is_read(tmp_path: Path, rotations: int) -> None:
    async def go() -> None:
        directory = begin(tmp_path)
        agent = Agent(tmp_path)
        await read_rows(agent, 4)
        await agent.kill()
        path = tmp_path / "state" / FILE_NAME
        _without_new_fields(path)
        for number in range(1, rotations + 1):
            keep_five(directory, number)
        found, losses = await after_restart(tmp_path)
        if rotations == 4:
            assert (found, losses) == (list(range(4, 50)), [])
        else:
            assert losses == [Loss(Reason.GENERATION_GONE, 0, False, 0, at(40))]
            assert found == list(range(40, 90))

    run_virtual(go())


def _without_new_fields(path: Path) -> None:
    """As version 0.1.0 wrote it."""
    saved = parse(path.read_bytes()).positions
    assert saved[Key("r", "a")].following != NOTHING_KNOWN
    old = [line(key, type(s)(s.position, s.at_ns)) for key, s in saved.items()]
    for text in old:
        assert b"settled" not in text
        assert b"later" not in text
    path.write_bytes(HEADER + b"".join(old))


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
