"""A damaged checkpoint never stops the agent: it is reported, and nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_copies_agree, assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog

ROWS = [f"row {number}" for number in range(3000)]
BEFORE, AFTER = ROWS[:1000], ROWS[1000:]
DELIVERED_BEFORE = len(BEFORE)


@pytest.fixture
def log(tmp_path: Path) -> ContainerLog:
    return ContainerLog(tmp_path / "pods", "web-0")


@pytest.fixture
def stopped(make_agent: MakeAgent, log: ContainerLog, tmp_path: Path) -> Agent:
    """It delivered the first rows and ended cleanly; more rows wait."""
    agent = make_agent(one_route(tmp_path / "pods", file_sink(tmp_path / "out")))
    log.say(*BEFORE)
    agent.start()
    agent.wait_delivered(DELIVERED_BEFORE)
    assert agent.terminate() == 0
    log.say(*AFTER)
    return agent


def journal(agent: Agent) -> Path:
    return agent.state_dir / "positions.journal"


def test_a_torn_last_line_is_cut_off_and_reported_and_nothing_is_sent_twice(
    stopped: Agent, tmp_path: Path
) -> None:
    whole = journal(stopped).read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    journal(stopped).write_bytes(whole + last[: len(last) // 2])
    stopped.start()
    stopped.wait_delivered(len(AFTER))
    assert "left out 1 damaged lines" in stopped.log()
    assert_each_once(rows_in(tmp_path / "out"), ROWS)


def test_what_is_saved_after_a_torn_line_is_found_by_the_next_agent(
    stopped: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    with journal(stopped).open("ab") as file:
        file.write(b"0badc0de {torn")
    for _ in range(2):
        stopped.start()
        log.say("another")
        stopped.wait_delivered(1)
        assert stopped.terminate() == 0
    assert_each_once(rows_in(tmp_path / "out"), [*ROWS, "another", "another"])


def test_a_last_line_that_never_was_whole_costs_only_copies(stopped: Agent, tmp_path: Path) -> None:
    whole = journal(stopped).read_bytes()
    journal(stopped).write_bytes(whole[:-5])
    stopped.start()
    stopped.wait_delivered(len(AFTER))
    rows = rows_in(tmp_path / "out")
    assert_copies_agree(rows)
    assert {row.text for row in rows} == set(ROWS)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "of another version": lambda whole: whole.replace(b"positions 1\n", b"positions 99\n"),
    "random bytes": lambda whole: bytes((7 * n * n + 13) % 256 for n in range(5000)),
    "no bytes": lambda whole: b"",
    "zeros": lambda whole: bytes(len(whole)),
    "a text of somebody else": lambda whole: b"<?xml version='1.0'?>\n<pos file='0.log'/>\n",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_foreign_file_is_set_aside_and_reported(
    stopped: Agent, log: ContainerLog, tmp_path: Path, damage: str
) -> None:
    foreign = DAMAGE[damage](journal(stopped).read_bytes())
    journal(stopped).write_bytes(foreign)
    stopped.start()
    stopped.wait_delivered(len(ROWS))
    rows = rows_in(tmp_path / "out")
    assert_copies_agree(rows)
    assert {row.text for row in rows} == set(ROWS)
    assert "is not a checkpoint" in stopped.log()
    aside = list(stopped.state_dir.glob("positions.journal.foreign-*"))
    assert [path.read_bytes() for path in aside] == [foreign]
    assert stopped.terminate() == 0
    stopped.start()
    log.say("the last")
    stopped.wait_delivered(1)
    assert len(rows_in(tmp_path / "out")) == len(rows) + 1, "it read from the beginning again"


def test_a_damaged_line_in_the_middle_costs_only_copies(stopped: Agent, tmp_path: Path) -> None:
    lines = journal(stopped).read_bytes().splitlines(keepends=True)
    broken = lines[1].replace(b'"offset":', b'"offset":1')
    journal(stopped).write_bytes(b"".join([lines[0], broken, *lines[2:]]))
    stopped.start()
    stopped.wait_delivered(len(AFTER))
    rows = rows_in(tmp_path / "out")
    assert_copies_agree(rows)
    assert {row.text for row in rows} == set(ROWS)
