"""A rollout with maxSurge: the next agent waits for the state directory of the one before it.

While it waits it is ready, and holds every log open, so that nothing is lost of a pod that goes
while the other agent delivers what it has read.

Broken on purpose, and then these failed: sources that start only with the lock, positions of
finished logs forgotten at once, readiness only with the lock.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.configs import containers, file_sink, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for


def numbered(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


@pytest.fixture
def logs(tmp_path: Path) -> list[ContainerLog]:
    return [ContainerLog(tmp_path / "pods", pod) for pod in ("stays", "goes")]


def two_routes(tmp_path: Path, sandbox: SandboxProcess) -> dict[str, object]:
    """One sink that will be dead, one that works."""
    return {
        "sources": {"containers": containers(tmp_path / "pods")},
        "routes": [
            {"name": "cloud", "from": ["containers"], "to": "gcl", "continue": True},
            {"name": "local", "from": ["containers"], "to": "files"},
        ],
        "sinks": {
            "gcl": logging_sink(sandbox.logging_endpoint, "handover"),
            "files": file_sink(tmp_path / "out"),
        },
        "state_dir": str(tmp_path / "state"),
        "drain_timeout_secs": 3,
    }


@pytest.fixture
def pair(
    make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path
) -> Iterator[tuple[Agent, Agent]]:
    config = two_routes(tmp_path, sandbox)
    yield make_agent(config, "old"), make_agent(config, "new")
    sandbox.end_trouble()


def ready(agent: Agent) -> bool:
    answer = agent.get("/readyz")
    return answer is not None and answer[0] == 200


def wait_surging(new: Agent) -> None:
    """The next one is ready before the one before it is told to go."""
    new.start()
    wait_for("readiness of the one that waits", 20, lambda: ready(new))
    assert "another agent holds" in new.log()


def test_rows_written_and_a_log_deleted_in_the_drain_arrive_once_with_a_sink_dead(
    pair: tuple[Agent, Agent], logs: list[ContainerLog], sandbox: SandboxProcess, tmp_path: Path
) -> None:
    old, new = pair
    stays, goes = logs
    stays.say(*numbered(0, 500))
    goes.say(*numbered(10_000, 10_500))
    old.start()
    old.wait_delivered(1000, route="cloud")
    sandbox.trouble("logging", {"stop_secs": 600})
    stays.say(*numbered(500, 1000))
    wait_for("failure of the sink", 20, lambda: old.route("cloud").retries > 0)
    wait_surging(new)
    old.process.terminate()
    wait_for("its drain", 10, lambda: "stopping" in old.log())
    for n in range(10):
        stays.say(*numbered(1000 + 100 * n, 1100 + 100 * n))
        goes.say(*numbered(10_500 + 100 * n, 10_600 + 100 * n))
        stays.rotate() if n == 5 else None
    goes.remove()
    assert old.alive, "else this test shows nothing"
    assert old.process.wait(20) == 0
    sandbox.end_trouble()
    for route in ("cloud", "local"):
        new.wait_delivered(2000 + 0, route=route)
    wait_for("the end of the log", 20, lambda: new.status().origins == 1)
    expected = [*numbered(0, 2000), *numbered(10_000, 11_500)]
    assert_each_once(rows_in(tmp_path / "out"), expected)
    assert_each_once(sandbox.rows("handover"), expected)
    assert not new.status().trouble
    assert new.terminate() == 0


def test_a_log_that_the_old_agent_finished_while_the_new_one_held_it_is_not_sent_again(
    pair: tuple[Agent, Agent], logs: list[ContainerLog], tmp_path: Path
) -> None:
    old, new = pair
    stays, goes = logs
    stays.say(*numbered(0, 100))
    goes.say(*numbered(1000, 1500))
    old.start()
    old.wait_delivered(600, route="local")
    wait_surging(new)
    goes.remove()
    wait_for("the end of the log", 20, lambda: old.status().origins == 1)
    assert old.terminate() == 0
    stays.say(*numbered(100, 200))
    new.wait_delivered(100, route="local")
    wait_for("the end of the log", 20, lambda: new.status().origins == 1)
    assert_each_once(rows_in(tmp_path / "out"), [*numbered(0, 200), *numbered(1000, 1500)])


def test_a_new_agent_whose_sink_cannot_start_ends_before_the_old_one_has_to_go(
    make_agent: MakeAgent, logs: list[ContainerLog], tmp_path: Path
) -> None:
    config: dict[str, object] = {
        "sources": {"containers": containers(tmp_path / "pods")},
        "routes": [{"name": "all", "from": ["containers"], "to": "out"}],
        "sinks": {"out": file_sink(tmp_path / "out")},
        "state_dir": str(tmp_path / "state"),
    }
    old = make_agent(config, "old")
    (tmp_path / "file").write_text("no directory")
    new = make_agent({**config, "sinks": {"out": file_sink(tmp_path / "file")}}, "new")
    logs[0].say("row")
    old.start()
    old.wait_delivered(1)
    new.start(wait=False)
    assert new.process.wait(20) == 2
    assert old.alive
