"""Where reading begins: `start_from` rules the first start, and never what comes after it."""

from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.configs import Options, containers, file_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_each_once, rows_in, texts
from tests.e2e.kubelet import ContainerLog

OLD_ROW = b"2001-02-03T04:05:06.5Z stdout F %s\n"


def config(root: Path, out: Path, start_from: str) -> Options:
    return {
        "sources": {"containers": containers(root) | {"start_from": start_from}},
        "routes": [{"name": "all", "from": ["containers"], "to": "out"}],
        "sinks": {"out": file_sink(out)},
    }


@pytest.fixture
def from_now(make_agent: MakeAgent, tmp_path: Path) -> Agent:
    return make_agent(config(tmp_path / "pods", tmp_path / "out", "now"))


@pytest.fixture
def log(tmp_path: Path) -> ContainerLog:
    return ContainerLog(tmp_path / "pods", "web-0")


def test_what_was_written_before_the_first_start_is_left_out(
    from_now: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say("before")
    from_now.start()
    from_now.wait_bound(1)
    log.say("after")
    from_now.wait_delivered(1)
    assert texts(rows_in(tmp_path / "out")) == ["after"]


def test_a_log_that_appears_while_the_agent_runs_is_read_from_its_first_byte(
    from_now: Agent, log: ContainerLog, tmp_path: Path
) -> None:
    log.say("before")
    from_now.start()
    from_now.wait_bound(1)
    late = ContainerLog(tmp_path / "pods", "web-1")
    late.append(OLD_ROW % b"written long ago")
    late.say("written now")
    from_now.wait_delivered(2, 10)
    assert_each_once(rows_in(tmp_path / "out"), ["written long ago", "written now"])


@pytest.mark.parametrize("stop", ["SIGTERM", "SIGKILL"])
def test_a_log_that_appeared_while_the_agent_was_down_is_read_from_its_first_byte(
    from_now: Agent, log: ContainerLog, tmp_path: Path, stop: str
) -> None:
    log.say("before")
    from_now.start()
    from_now.wait_bound(1)
    log.say("first")
    from_now.wait_delivered(1)
    from_now.wait_saved(log.size)
    if stop == "SIGTERM":
        assert from_now.terminate() == 0
    from_now.kill()
    ContainerLog(tmp_path / "pods", "web-1").say("while it was down")
    from_now.start()
    from_now.wait_bound(2)
    log.say("last")
    from_now.wait_delivered(2, 10)
    assert_each_once(rows_in(tmp_path / "out"), ["first", "while it was down", "last"])
