"""A log is unlinked, or its next restart begins, while the agent has not read all of it."""

import itertools
from pathlib import Path

from tests.e2e.agent_process import Agent
from tests.e2e.configs import file_sink, logging_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.containerd.numbered import assert_all, program
from tests.e2e.containerd.pods import Container, Pod
from tests.e2e.containerd.rotating import Rotation
from tests.e2e.destinations import Arrived, rows_in, texts
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

LINES = 150_000  # 28 MB
BEHIND_BYTES = 10_000_000
PARTIAL_BYTES = 16384  # containerd's max_container_log_line_size
SLOW = {"latency_secs": 2.0}


def agent_of(make_agent: MakeAgent, pod: Pod, out: Path) -> Agent:
    return make_agent(one_route(pod.logs, file_sink(out)))


def rows_of(pod: Pod, out: Path) -> list[Arrived]:
    rows = (row for row in rows_in(out) if row.pod == pod.name)
    return sorted(rows, key=lambda row: (row.path, row.id))


def test_a_log_removed_while_the_agent_is_far_behind_arrives_to_its_last_line(
    lone_pod: Pod, make_agent: MakeAgent, sandbox: SandboxProcess
) -> None:
    """Also of files that were rotated, compressed and deleted meanwhile."""
    pod = lone_pod
    config = one_route(pod.logs, logging_sink(sandbox.logging_endpoint, pod.name))
    agent = make_agent(config | {"memory": {"max_bytes": "16MiB"}})
    agent.start()
    sandbox.trouble("logging", SLOW)
    try:
        container = pod.start(program(LINES, pause_every=5000, pause_ms=50))
        storm = Rotation(container, keep_files=3)
        storm.until_exit(4_000_000, every_secs=0.5)
        container.remove()
        wait_for("retirement", 20, lambda: agent.route().waiting_bytes > 0)
        assert agent.route().waiting_bytes > BEHIND_BYTES, "else this test shows little"
        assert storm.deleted, "else this test shows less than it says"
    finally:
        sandbox.end_trouble()
    agent.wait_delivered(LINES, 40)
    rows = [row for row in sandbox.rows(pod.name) if row.pod == pod.name]
    assert len(assert_all(rows, LINES)) == LINES, "some rows arrived twice"
    wait_for("end of the origin", 20, lambda: agent.status().origins == 0)
    assert agent.status().trouble == []


def test_last_words_of_containers_that_are_removed_at_once_arrive(
    lone_pod: Pod, make_agent: MakeAgent, tmp_path: Path
) -> None:
    """kubelet unlinks a deleted pod's log about a second after its last line; here it is sooner."""
    pod = lone_pod
    agent = agent_of(make_agent, pod, tmp_path / "out")
    agent.start()
    for attempt in range(5):
        script = f"echo begin {attempt}; sleep 0.5; echo more; printf 'last words {attempt}'"
        container = pod.run(script, attempt=attempt)
        container.remove()
        assert not container.log.exists()
    wait_for("end of the origins", 20, lambda: agent.status().origins == 0)
    expected = [(f"begin {n}", "more", f"last words {n}") for n in range(5)]
    arrived = texts(rows_of(pod, tmp_path / "out"))
    assert arrived == list(itertools.chain(*expected)), f"{agent.status()}\n{agent.log()}"
    assert agent.status().trouble == []


def test_a_partial_that_a_restart_left_never_joins_the_first_line_of_the_next(
    lone_pod: Pod, make_agent: MakeAgent, tmp_path: Path
) -> None:
    """The agent is killed between the two; rows of the first are the same ones before and after."""
    pod = lone_pod
    agent = agent_of(make_agent, pod, tmp_path / "out")
    agent.start()
    half = f"head -c {PARTIAL_BYTES + 5} /dev/zero | tr '\\0' a"
    first = pod.run(f"echo whole; {half}; kill -9 $$")
    assert b" stdout F " not in first.log.read_bytes().splitlines()[-1]
    agent.wait_delivered(1)
    agent.kill()
    pod.run(f"echo 'b of the next'; {half}; echo", attempt=1)
    agent.start()
    agent.wait_idle(30)
    rows = rows_of(pod, tmp_path / "out")
    id_of = {row.id: row for row in rows}
    found = [
        (Path(row.path).name, len(row.text), set(row.text), row.marks) for row in id_of.values()
    ]
    assert found == [
        ("0.log", 5, set("whole"), ()),
        ("0.log", PARTIAL_BYTES + 5, {"a"}, ("unfinished",)),
        ("1.log", 13, set("b of the next"), ()),
        ("1.log", PARTIAL_BYTES + 5, {"a"}, ()),
    ]


def test_the_log_of_a_dead_restart_is_removed_while_the_next_one_writes(
    lone_pod: Pod, make_agent: MakeAgent, tmp_path: Path
) -> None:
    """kubelet keeps one dead container of each: a crash loop deletes all the time."""
    pod = lone_pod
    agent = agent_of(make_agent, pod, tmp_path / "out")
    agent.start()
    dead: list[Container] = []
    for attempt in range(6):
        loop = f'for (n = 1; n <= 2000; n++) print "{attempt}/" n'
        dead.append(pod.run(f"awk 'BEGIN {{ {loop} }}'", attempt=attempt))
        if len(dead) > 1:
            dead.pop(0).remove()
    agent.wait_delivered(6 * 2000)
    expected = [f"{attempt}/{n}" for attempt in range(6) for n in range(1, 2001)]
    assert texts(rows_of(pod, tmp_path / "out")) == expected
    assert agent.status().trouble == []
