"""The agent is away while kubelet rotates: what is on the disk arrives, what is not is reported."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from logship.api import time_ns
from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, logging_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.containerd.losses import Lost, only_loss
from tests.e2e.containerd.pods import Pod
from tests.e2e.containerd.rotating import Rotation, first_time
from tests.e2e.containerd.speaker import Speaker
from tests.e2e.destinations import Arrived, assert_each_once, rows_in, texts
from tests.e2e.kubelet import read_log
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

BATCH = 2000  # lines, about 0.4 MB
QUIET_SECS, SAVE_SECS = 1.0, 1.0  # of the engine


@dataclass
class Stage:
    """One container, its rotation, and the agent that ships it to a file."""

    speaker: Speaker
    rotation: Rotation
    agent: Agent
    out: Path
    pod: str

    def rows(self) -> list[Arrived]:
        """In the order of their ids."""
        mine = (row for row in rows_in(self.out) if row.pod == self.pod)
        return sorted(mine, key=lambda row: row.id)

    def deliver_first(self) -> list[str]:
        """Some rows that are delivered and saved, half a file; then some that are not."""
        said = self.speaker.say(BATCH)
        self.agent.start()
        self.agent.wait_delivered(BATCH)
        self.agent.wait_saved(self.speaker.container.log.stat().st_size)
        return said

    def rotate(self, times: int) -> None:
        for _ in range(times):
            self.speaker.say(BATCH)
            assert self.rotation.rotate()
        self.speaker.say(BATCH)


@pytest.fixture
def stage(lone_pod: Pod, make_agent: MakeAgent, tmp_path: Path) -> Stage:
    speaker = Speaker(lone_pod)
    agent = make_agent(one_route(lone_pod.logs, file_sink(tmp_path / "out")))
    return Stage(speaker, Rotation(speaker.container), agent, tmp_path / "out", lone_pod.name)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_away_for_four_rotations_nothing_is_lost(stage: Stage, end: str) -> None:
    before = stage.deliver_first()
    stop(stage.agent, end)
    stage.rotate(4)
    assert sum(path.suffix == ".gz" for path in stage.rotation.files()) == 3
    assert not stage.rotation.deleted
    on_disk = stage.rotation.texts()
    assert on_disk[:BATCH] == before
    stage.agent.start()
    stage.agent.wait_delivered(len(on_disk) - BATCH)
    rows = stage.rows()
    assert_each_once(rows, on_disk)
    assert texts(rows) == on_disk, "sorted by id they are not in the order of the files"
    assert stage.agent.status().trouble == []


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_away_for_eight_rotations_what_is_there_arrives_and_the_loss_is_reported(
    stage: Stage, end: str
) -> None:
    before = stage.deliver_first()
    stop(stage.agent, end)
    settled = stage.speaker.container.log.read_bytes()
    stage.rotate(8)
    assert len(stage.rotation.deleted) == 4, "else this test shows nothing"
    on_disk = stage.rotation.texts()
    stage.agent.start()
    stage.agent.wait_delivered(len(on_disk))
    rows = stage.rows()
    assert_each_once(rows, [*before, *on_disk])
    assert texts(rows) == [*before, *on_disk], "ids are not in the order of the files"
    gone = sum(map(len, stage.rotation.deleted)) - len(settled)
    lost = only_loss(stage.agent, stage.pod)
    assert lost.container == "app"
    assert_between(lost, settled, read_log(stage.rotation.files()[0]))
    assert not lost.exact, "it cannot know how much was written while it was away"
    assert lost.bytes is None or 0 < lost.bytes <= gone
    shown = stage.agent.route().lost["e2e"]["generation_gone"]
    assert (shown.events, shown.bytes, shown.exact) == (1, lost.bytes or 0, False)


def test_bytes_of_a_file_that_it_saw_end_are_reported_exactly(
    lone_pod: Pod, make_agent: MakeAgent, sandbox: SandboxProcess
) -> None:
    """Its sink is down while a file ends; the agent is away until that file alone is deleted."""
    pod, speaker = lone_pod, Speaker(lone_pod)
    live = speaker.container.log
    rotation = Rotation(speaker.container)
    agent = make_agent(one_route(pod.logs, logging_sink(sandbox.logging_endpoint, pod.name)))
    before = speaker.say(BATCH)
    agent.start()
    agent.wait_delivered(BATCH)
    agent.wait_saved(live.stat().st_size)
    settled = live.read_bytes()
    sandbox.trouble("logging", {"stop_secs": 600})
    try:
        speaker.say(BATCH)
        assert rotation.rotate()
        speaker.say(BATCH)
        know_and_kill(agent, live)
        for _ in range(4):
            assert rotation.rotate()
            speaker.say(BATCH)
    finally:
        sandbox.end_trouble()
    (deleted,) = rotation.deleted
    on_disk = rotation.texts()
    agent.start()
    agent.wait_delivered(len(on_disk))
    rows = [row for row in sandbox.rows(pod.name) if row.pod == pod.name]
    assert_each_once(rows, [*before, *on_disk])
    lost = only_loss(agent, pod.name)
    assert (lost.bytes, lost.exact) == (len(deleted) - len(settled), True)
    shown = agent.route().lost["e2e"]["generation_gone"]
    assert (shown.events, shown.bytes, shown.exact) == (1, lost.bytes, True)
    assert_between(lost, settled, read_log(rotation.files()[0]))


def know_and_kill(agent: Agent, live: Path) -> None:
    """When what it knows has been saved: a file that was renamed has ended after a second."""
    ends = [live.stat().st_size + path.stat().st_size for path in live.parent.glob("0.log.*")]
    wait_for("look at both files", 20.0, lambda: agent.route().waiting_bytes >= max(ends) // 2)
    time.sleep(QUIET_SECS + 2 * SAVE_SECS)  # nothing outside tells that it has been saved
    agent.kill()


def assert_between(lost: Lost, settled: bytes, found: bytes) -> None:
    """From the last settled row to the first that was found."""
    assert time_ns(lost.settled) == time_ns(first_time(settled.splitlines()[-1]))
    assert time_ns(lost.found) == time_ns(first_time(found))


def stop(agent: Agent, end: str) -> None:
    if end == "SIGTERM":
        assert agent.terminate() == 0
    agent.kill()
