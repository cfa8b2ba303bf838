"""The disk of positions and dead letters is full: rows flow on, and it recovers by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.faults.full_disk import fill, mount_tmpfs, unmount
from tests.e2e.account_of_status import assert_each_row_once, checkpoint_age_secs
from tests.e2e.agent_process import Agent
from tests.e2e.configs import logging_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import Arrived, assert_copies_agree, assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog
from tests.e2e.refusing_logging import REFUSED, refusing_logging
from tests.e2e.waiting import wait_for

GOOD_LOGS = 20
"""Their positions take more than the page of memory that a file on a full tmpfs may have left."""
BEFORE, MEANWHILE = 500, 3_000
FIRST_REFUSED, REFUSED_ROWS = f"{REFUSED} before", 5
STATE_MB = 1


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    directory = tmp_path / "state"
    directory.mkdir()
    if why := mount_tmpfs(directory, STATE_MB):
        pytest.skip(why)
    try:
        yield directory
    finally:
        unmount(directory)


class Node:
    """Logs of which all rows are taken, and one of which some are refused."""

    def __init__(self, make_agent: MakeAgent, home: Path, endpoint: str) -> None:
        pods = [f"good-{number}" for number in range(GOOD_LOGS)]
        self.good = [ContainerLog(home / "pods", pod) for pod in pods]
        self.bad = ContainerLog(home / "pods", "bad-0")
        self.state = home / "state"
        self.filler = self.state / "filler"
        sink = logging_sink(endpoint, "p")
        self.agent: Agent = make_agent(one_route(home / "pods", sink, state_dir=str(self.state)))

    def say_good(self, start: int, stop: int) -> None:
        rows = good(start, stop)
        for number, log in enumerate(self.good):
            log.say(*rows[number::GOOD_LOGS])

    def begin(self) -> None:
        """All is well; one row was refused and lies in the dead letters."""
        self.say_good(0, BEFORE)
        self.bad.say("bad 0", FIRST_REFUSED)
        self.agent.start()
        self.agent.wait_delivered(BEFORE + 2)
        assert self.agent.route().dead_rows == 1
        wait_for("positions", 20, lambda: checkpoint_age_secs(self.agent) is not None)

    def fill(self, written: list[Arrived]) -> None:
        """Fill the disk and write on: all but the log with the refused rows goes on."""
        fill(self.filler)
        self.bad.say("bad 1", *refused(0, REFUSED_ROWS), "bad 2")
        wait_for("word of the dead letters", 20, lambda: " waits: " in self.agent.log())
        self.bad.say("bad 3")
        self.say_good(BEFORE, BEFORE + MEANWHILE)
        total = BEFORE + MEANWHILE + 3  # bad 0, 1 and 2; bad 3 waits behind what is refused
        wait_for("rows that flow on", 20, lambda: len(written) >= total)
        wait_for("word of positions", 20, lambda: "cannot save positions" in self.agent.log())
        assert self.agent.route().dead_rows == 1
        assert "bad 3" not in {row.text for row in written}, "a log went on past what it must keep"


def good(start: int, stop: int) -> list[str]:
    return [f"good {number}" for number in range(start, stop)]


def refused(start: int, stop: int) -> list[str]:
    return [f"{REFUSED} {number} {'x' * 4000}" for number in range(start, stop)]


TAKEN = [*good(0, BEFORE + MEANWHILE), *(f"bad {number}" for number in range(4))]


def test_rows_flow_on_and_what_was_refused_holds_its_own_log_only(
    state: Path, make_agent: MakeAgent, tmp_path: Path
) -> None:
    with refusing_logging() as (endpoint, written):
        node = Node(make_agent, tmp_path, endpoint)
        node.begin()
        node.fill(written)
        wait_for("age of the checkpoint", 20, lambda: (checkpoint_age_secs(node.agent) or 0) > 3)
        assert b"logship_checkpoint_age_seconds" in (node.agent.get("/metrics") or (0, b""))[1]
        node.filler.unlink()
        wait_for("positions", 20, lambda: "positions are saved again" in node.agent.log())
        rows = len(TAKEN) + 1 + REFUSED_ROWS
        node.agent.wait_delivered(rows)
        assert_each_row_once(node.agent, "all", rows, dead=1 + REFUSED_ROWS)
        assert node.agent.terminate() == 0
        assert_each_once(written, TAKEN)
        letters = rows_in(state / "deadletters")
        assert_each_once(letters, [FIRST_REFUSED, *refused(0, REFUSED_ROWS)])
        node.good[0].say("the last")
        node.agent.start()
        node.agent.wait_delivered(1)
        assert_each_once(written, [*TAKEN, "the last"])


def test_an_agent_that_is_killed_on_a_full_disk_sends_copies_and_loses_nothing(
    state: Path, make_agent: MakeAgent, tmp_path: Path
) -> None:
    with refusing_logging() as (endpoint, written):
        node = Node(make_agent, tmp_path, endpoint)
        node.begin()
        node.fill(written)
        node.agent.kill()
        node.filler.unlink()
        node.agent.start()
        node.agent.wait_idle(20)
        assert node.agent.terminate() == 0
        assert_copies_agree(written)
        assert {row.text for row in written} == set(TAKEN)
        letters = rows_in(state / "deadletters")
        assert_copies_agree(letters)
        assert {row.text for row in letters} == {FIRST_REFUSED, *refused(0, REFUSED_ROWS)}
