"""One poisoned row among 10,000: its neighbours arrive once, and it when the cause is mended.

The sandbox refuses requests that hold it as a whole, without saying which entry is to blame.
"""

import subprocess
import sys
from pathlib import Path

from logship.api import time_ns
from tests.e2e.agent_process import Agent
from tests.e2e.configs import logging_sink, one_route
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog
from tests.e2e.sandbox_process import SandboxProcess

ROWS, POISONED = 10_000, 6_173
POISON = "arsenic"
TIMEOUT_SECS = 60


def deadletters(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "logship.cli", "deadletters", *words]
    return subprocess.run(
        [*program, "-c", str(home / "agent.yaml")],
        capture_output=True, text=True, timeout=TIMEOUT_SECS, check=False,
    )  # fmt: skip


def test_its_neighbours_are_delivered_once_and_replay_delivers_it_with_the_same_id(
    make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    texts = [f"row {number}" for number in range(ROWS)]
    texts[POISONED] = f"row with {POISON}"
    log = ContainerLog(tmp_path / "pods", "web-0")
    log.say(*texts)
    sandbox.trouble("logging", {"poison": POISON})
    agent: Agent = make_agent(
        one_route(tmp_path / "pods", logging_sink(sandbox.logging_endpoint, "poison"))
    )
    try:
        agent.start()
        agent.wait_delivered(ROWS)
        route = agent.route()
        assert (route.delivered_rows, route.dead_rows, route.bugs) == (ROWS - 1, 1, 0)
        healthy = sandbox.rows("poison")
        assert_each_once(healthy, [text for text in texts if POISON not in text])
        [letter] = rows_in(agent.state_dir / "deadletters")
        assert letter.text == texts[POISONED]

        listed = deadletters(tmp_path, "ls")
        assert letter.id in listed.stdout
        assert "HTTP 400: Invalid JSON payload received." in listed.stdout
        too_early = deadletters(tmp_path, "replay", "--yes")
        assert too_early.returncode == 1
        assert "refused again 1" in too_early.stdout
        assert len(rows_in(agent.state_dir / "deadletters")) == 1

        sandbox.end_trouble()
        done = deadletters(tmp_path, "replay", "--yes")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Delivered 1;" in done.stdout
    finally:
        sandbox.end_trouble()
    rows = sandbox.rows("poison")
    assert_each_once(rows, texts)
    [replayed] = [row for row in rows if POISON in row.text]
    assert (replayed.id, time_ns(replayed.time)) == (letter.id, time_ns(letter.time))
    assert (replayed.pod, replayed.container) == (healthy[0].pod, healthy[0].container)
    assert rows_in(agent.state_dir / "deadletters") == []
    assert deadletters(tmp_path, "ls").stdout.startswith("No dead letters")
    assert agent.terminate() == 0
