"""What an operator relies on: the agent is stopped, restarted, starved and locked out."""

import gzip
import threading
import time
from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, logging_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import Arrived, assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog, compress
from tests.e2e.refusing_logging import REFUSED, refusing_logging
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

PODS = "pods"
OUT = "out"


@pytest.fixture
def agent(make_agent: MakeAgent, tmp_path: Path) -> Agent:
    """All logs below `pods` to a file sink at `out`."""
    return make_agent(one_route(tmp_path / PODS, file_sink(tmp_path / OUT)))


@pytest.fixture
def log(tmp_path: Path) -> ContainerLog:
    return ContainerLog(tmp_path / PODS, "web-0")


def numbered(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_nothing_is_sent_twice_after_a_clean_stop(
    agent: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say(*numbered(0, 1000))
    agent.start()
    agent.wait_delivered(1000)
    assert agent.terminate() == 0
    log.say(*numbered(1000, 1500))
    agent.start()
    agent.wait_delivered(500)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, 1500))


def test_sigterm_in_full_flow_delivers_what_was_read_and_saves_where_it_ended(
    agent: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    total = 200_000
    agent.start()

    def write() -> None:
        for start in range(0, total, 1000):
            log.say(*numbered(start, start + 1000))

    writer = threading.Thread(target=write)
    writer.start()
    wait_for("first rows", 20, lambda: agent.route().delivered_rows > 0)
    assert agent.terminate() == 0
    stopped_with = len(rows_in(tmp_path / OUT))
    agent.start()
    writer.join(30)
    agent.wait_delivered(total - stopped_with)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, total))


def test_three_rotations_while_the_agent_was_down_are_read_also_from_gz(
    agent: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say(*numbered(0, 500))
    agent.start()
    agent.wait_delivered(500)
    assert agent.terminate() == 0
    for start in (500, 1000, 1500):
        log.say(*numbered(start, start + 450))
        log.rotate(b"")
        log.say(*numbered(start + 450, start + 500))
    assert len(list(log.directory.glob("*.gz"))) == 2, "else this test shows nothing"
    agent.start()
    agent.wait_delivered(1500)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, 2000))


def test_a_log_deleted_before_it_was_read_is_read_to_its_end(
    agent: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say(*numbered(0, 10))
    agent.start()
    agent.wait_delivered(10)
    agent.freeze()
    log.say(*numbered(10, 30_000))
    log.remove()
    agent.thaw()
    wait_for("retirement of the log", 20, lambda: agent.status().origins == 0)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, 30_000))
    assert agent.terminate() == 0


def test_a_second_agent_waits_for_the_state_directory_and_goes_on_where_the_first_ended(
    make_agent: MakeAgent, log: ContainerLog, tmp_path: Path
) -> None:
    config = one_route(
        tmp_path / PODS, file_sink(tmp_path / OUT), state_dir=str(tmp_path / "state")
    )
    first, second = make_agent(config, "first"), make_agent(config, "second")
    log.say(*numbered(0, 100))
    first.start()
    first.wait_delivered(100)
    second.start()
    wait_for("word that it waits", 10, lambda: "another agent holds" in second.log())
    log.say(*numbered(100, 200))
    first.wait_delivered(200)
    assert second.route().delivered_rows == 0
    assert first.terminate() == 0
    log.say(*numbered(200, 300))
    second.wait_delivered(100)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, 300))


def test_two_agents_give_the_rows_of_plain_files_and_of_their_gz_the_same_ids(
    make_agent: MakeAgent, tmp_path: Path
) -> None:
    delivered = []
    for name in ("plain", "gz"):
        log = ContainerLog(tmp_path / name, "web-0")
        if name == "plain":
            log.say(*numbered(0, 400))
            log.path.rename(log.path.with_name("0.log.20261123-044631"))
            log.close()
            log.say(*numbered(400, 500))
        else:
            plain = ContainerLog(tmp_path / "plain", "web-0")
            log.directory.mkdir(parents=True)
            for path in plain.directory.iterdir():
                (log.directory / path.name).write_bytes(path.read_bytes())
            compress(log.directory / "0.log.20261123-044631")
        agent = make_agent(one_route(log.root, file_sink(tmp_path / f"out-{name}")), name)
        agent.start()
        agent.wait_delivered(500)
        delivered.append(identities(rows_in(tmp_path / f"out-{name}")))
    assert len(delivered[0]) == 500
    assert delivered[0] == delivered[1]


def identities(rows: list[Arrived]) -> set[tuple[str, str, str]]:
    return {(row.id, row.time, row.text) for row in rows}


def test_a_stop_while_the_sink_is_down_ends_in_time_and_loses_nothing(
    make_agent: MakeAgent, log: ContainerLog, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    config = one_route(
        tmp_path / PODS, logging_sink(sandbox.logging_endpoint, "stop"), drain_timeout_secs=1
    )
    agent = make_agent(config)
    sandbox.trouble("logging", {"stop_secs": 600})
    try:
        log.say(*numbered(0, 5000))
        agent.start()
        wait_for("failure of the sink", 20, lambda: agent.route().retries > 0)
        began = time.monotonic()
        assert agent.terminate() == 0
        assert time.monotonic() - began < 10
    finally:
        sandbox.end_trouble()
    agent.start()
    agent.wait_delivered(5000)
    assert_each_once(sandbox.rows("stop"), numbered(0, 5000))


def test_refused_rows_go_to_the_dead_letters_and_their_neighbours_arrive(
    make_agent: MakeAgent, log: ContainerLog, tmp_path: Path
) -> None:
    refused = [f"{REFUSED} {number}" for number in range(10)]
    for number, text in enumerate(refused):
        log.say(*numbered(100 * number, 100 * number + 100), text)
    with refusing_logging() as (endpoint, written):
        agent = make_agent(one_route(tmp_path / PODS, logging_sink(endpoint, "p")))
        agent.start()
        agent.wait_delivered(1010)
        assert agent.terminate() == 0
        assert_each_once(written, numbered(0, 1000))
        assert_each_once(rows_in(agent.state_dir / "deadletters"), refused)
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in letters_of(agent))
        agent.start()
        log.say("the last")
        agent.wait_delivered(1)
        assert len(written) == 1001, "a row was sent again"
    assert len(rows_in(agent.state_dir / "deadletters")) == 10


def letters_of(agent: Agent) -> list[Path]:
    return list((agent.state_dir / "deadletters").iterdir())


def test_a_log_of_which_only_gz_is_left_is_read_once(
    agent: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say(*numbered(0, 300))
    agent.start()
    agent.wait_delivered(300)
    assert agent.terminate() == 0
    log.say(*numbered(300, 600))
    content = log.path.read_bytes()
    log.close()
    log.path.unlink()
    (log.directory / "0.log.20261123-044631.gz").write_bytes(gzip.compress(content))
    agent.start()
    agent.wait_delivered(300)
    assert_each_once(rows_in(tmp_path / OUT), numbered(0, 600))
