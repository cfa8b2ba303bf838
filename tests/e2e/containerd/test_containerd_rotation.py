"""A storm of rotations while a container writes, with the five files that kubelet keeps."""

import threading
from pathlib import Path

import pytest

from logship.api import time_ns
from logship.journal import parse
from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.containerd.numbered import assert_all, assert_all_once, program
from tests.e2e.containerd.pods import Pod
from tests.e2e.containerd.rotating import KUBELET_FILES, Rotation, first_time
from tests.e2e.destinations import Arrived, each_row_in
from tests.e2e.kills import kill_again_and_again, kills_of_the_run, seed_of_the_run
from tests.e2e.kubelet import read_log

LINES = 250_000
ROTATE_BYTES = 2_000_000
DELIVER_SECS = 60.0


@pytest.fixture
def agent(lone_pod: Pod, make_agent: MakeAgent, tmp_path: Path) -> Agent:
    return make_agent(one_route(lone_pod.logs, file_sink(tmp_path / "out")))


def rows_of(pod: Pod, tmp_path: Path, *, torn: bool = False) -> list[Arrived]:
    return [row for row in each_row_in(tmp_path / "out", torn=torn) if row.pod == pod.name]


def test_every_line_of_a_rotation_storm_arrives_exactly_once(
    agent: Agent, lone_pod: Pod, tmp_path: Path
) -> None:
    agent.start()
    container = lone_pod.start(program(LINES, pause_every=5000, pause_ms=150))
    storm = Rotation(container)
    storm.until_exit(ROTATE_BYTES, every_secs=0.5)
    assert storm.rotations > 2 * KUBELET_FILES, "else this test shows little"
    assert storm.deleted
    agent.wait_delivered(LINES, DELIVER_SECS)
    agent.wait_idle(DELIVER_SECS)
    assert_all_once(rows_of(lone_pod, tmp_path), LINES)
    assert agent.status().trouble == []
    assert agent.terminate() == 0


def test_an_agent_killed_again_and_again_in_the_storm_loses_nothing_that_was_still_there(
    agent: Agent, lone_pod: Pod, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed, kills = seed_of_the_run(), kills_of_the_run() // 4
    agent.start()
    container = lone_pod.start(program(2 * LINES, pause_every=5000, pause_ms=120))
    storm = Rotation(container)
    killer = threading.Thread(target=kill_again_and_again, args=([agent], kills, seed))
    killer.start()
    storm.until_exit(ROTATE_BYTES, every_secs=1.0, may=lambda: oldest_is_settled(agent, storm))
    killer.join()
    agent.wait_idle(DELIVER_SECS)
    rows = rows_of(lone_pod, tmp_path, torn=True)
    with capsys.disabled():
        print(
            f"\nLOGSHIP_E2E_SEED={seed}, {len(agent.story)} kills, {storm.rotations} rotations, "
            f"{len(storm.deleted)} files deleted, {len(rows) - 2 * LINES} copies"
        )
    try:
        assert_all(rows, 2 * LINES)
    except AssertionError as error:
        story = "\n".join(agent.story)
        raise AssertionError(f"{error}\n{story}\n{agent.log()}") from None
    assert len(agent.story) == kills
    assert storm.deleted, "else this test shows less than it says"
    assert " lost " not in agent.log()


def oldest_is_settled(agent: Agent, storm: Rotation) -> bool:
    """kubelet does not ask. Here it does: what it deletes unread is lost on a busy machine."""
    files = storm.files()
    if len(files) < KUBELET_FILES:
        return True
    pod = storm.container.log.parent.parent.name.split("_")[2]
    journal = agent.state_dir / "positions.journal"
    saved = parse(journal.read_bytes()).positions.items() if journal.exists() else ()
    times = [one.position.generation.time_ns for key, one in saved if pod in key.origin]
    return min(times, default=0) > time_ns(first_time(read_log(files[0])))
