"""What an agent that was away can still read arrives; what it cannot is a loss with numbers."""

import re
from pathlib import Path

import pytest

from logship.checkpoint import FILE_NAME
from logship.journal import HEADER, Key, line, parse
from logship.tail.loss import NOTHING_KNOWN, Loss, Reason
from logship.testing.virtual_time import run_virtual
from tests.logship.tail.held.agent import Agent, at, lines
from tests.logship.tail.held.away import ROWS, after_restart, begin, keep_five, read_rows


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
