"""`logship run` and its configuration: an updated ConfigMap, SIGHUP, `POST /-/reload`."""

import json
import signal
from pathlib import Path

import pytest
import yaml

from tests.e2e.agent_process import Agent
from tests.e2e.config_map import ConfigMapMount
from tests.e2e.configs import containers, file_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog
from tests.e2e.waiting import wait_for


class Reloaded:
    """An agent whose configuration is in a ConfigMap."""

    def __init__(self, agent: Agent, mount: ConfigMapMount, home: Path) -> None:
        self.agent, self.home, self._mount = agent, home, mount
        agent.read_from(mount.path)
        self.write("one")

    def text(self, sink: str, **more: object) -> str:
        config = {
            "sources": {"containers": containers(self.home / "pods")},
            "routes": [{"name": "all", "from": ["containers"], "to": sink}],
            "sinks": {name: file_sink(self.home / name) for name in ("one", "two")},
            **more,
        }
        return yaml.safe_dump({**self.agent.added, **config})

    def write(self, sink: str, **more: object) -> None:
        self._mount.update(self.text(sink, **more))

    def break_it(self) -> None:
        self._mount.update(self.text("three"))

    def config(self) -> dict[str, object]:
        answer = self.agent.get("/status")
        assert answer is not None
        found: dict[str, object] = json.loads(answer[1])["config"]
        return found

    def wait_for(self, result: str, times: int = 1) -> None:
        def done() -> bool:
            reloads = self.config()["reloads"]
            assert isinstance(reloads, dict)
            return bool(reloads[result] >= times)

        wait_for(f"{result} configuration", 15, done)


@pytest.fixture
def reloaded(make_agent: MakeAgent, tmp_path: Path) -> Reloaded:
    return Reloaded(make_agent({}), ConfigMapMount(tmp_path / "mount"), tmp_path)


def numbered(start: int, stop: int) -> list[str]:
    return [f"row {number}" for number in range(start, stop)]


def test_an_updated_config_map_is_in_force_and_a_broken_one_is_refused_with_its_place(
    reloaded: Reloaded, tmp_path: Path
) -> None:
    agent, log = reloaded.agent, ContainerLog(tmp_path / "pods", "web-0")
    log.say(*numbered(0, 100))
    agent.start()
    agent.wait_delivered(100)
    reloaded.break_it()
    reloaded.wait_for("refused")
    (problem,) = reloaded.config()["problems"]  # type: ignore[misc]
    assert "logship.yaml:" in problem
    assert "routes[0].to: there is no sink named `three`" in problem
    assert problem in agent.log()
    metrics = agent.get("/metrics")
    assert metrics is not None
    assert b"\nlogship_config_last_reload_successful 0\n" in metrics[1]
    log.say(*numbered(100, 200))
    agent.wait_delivered(200)
    reloaded.write("two")
    reloaded.wait_for("applied")
    assert reloaded.config()["problems"] == []
    log.say(*numbered(200, 300))
    agent.wait_delivered(100)
    assert agent.terminate() == 0
    assert_each_once(rows_in(tmp_path / "one"), numbered(0, 200))
    assert_each_once(rows_in(tmp_path / "two"), numbered(200, 300))


def test_sighup_reads_the_file_again(reloaded: Reloaded) -> None:
    reloaded.agent.start()
    reloaded.agent.process.send_signal(signal.SIGHUP)
    reloaded.wait_for("unchanged")
    assert reloaded.agent.terminate() == 0


def test_a_post_reloads_only_where_that_is_allowed(reloaded: Reloaded) -> None:
    agent = reloaded.agent
    agent.start()
    answer = agent.get("/-/reload", "POST")
    assert answer is not None
    assert answer[0] == 403
    admin = {**agent.admin, "reload": True}
    reloaded.write("one", admin=admin)
    reloaded.wait_for("applied")
    answer = agent.get("/-/reload", "POST")
    assert answer is not None
    assert answer[0] == 200
    assert b"is the one in force" in answer[1]
    reloaded.write("one", admin=admin, cluster="another")
    reloaded.wait_for("refused")
    answer = agent.get("/-/reload", "POST")
    assert answer is not None
    assert answer[0] == 400
    assert b"`cluster` cannot be changed while the agent runs" in answer[1]
    assert agent.terminate() == 0
