"""`logship positions` beside the real agent, and what forgetting does to the next one."""

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.agent_process import Agent

TIMEOUT_SECS = 60
LINES = [f"2026-11-23T04:46:31.{number:03}Z line {number}" for number in range(200)]


def positions(agent: Agent, *words: str) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "logship.cli", "positions", *words]
    return subprocess.run(
        [*program, "--state-dir", str(agent.state_dir)],
        capture_output=True, text=True, timeout=TIMEOUT_SECS, check=False,
    )  # fmt: skip


def delivered(home: Path) -> list[str]:
    lines = (home / "out" / "rows.jsonl").read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_forgetting_makes_the_next_agent_send_the_same_rows_again(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{line}\n" for line in LINES))
    sink = {"type": "file", "dir": str(tmp_path / "out"), "name": "rows.jsonl"}
    source = {"type": "files", "paths": [str(tmp_path / "a.log")], "start_from": "beginning"}
    agent = Agent(tmp_path, {
        "sources": {"logs": source},
        "routes": [{"name": "all", "from": ["logs"], "to": "out"}],
        "sinks": {"out": sink},
    })  # fmt: skip
    forget = ["forget", "--route", "all", "--origin", "*/a.log", "--yes"]
    agent.start()
    try:
        agent.wait_delivered(len(LINES))
        agent.wait_saved(sum(len(line) + 1 for line in LINES))
        shown = json.loads(positions(agent, "show", "--json").stdout)
        assert [(one["route"], one["offset"]) for one in shown] == [
            ("all", sum(len(line) + 1 for line in LINES))
        ]
        refused = positions(agent, *forget)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert agent.terminate() == 0
        done = positions(agent, *forget)
        assert (done.returncode, done.stderr) == (0, "")
        assert "Forgot 1 position." in done.stdout
        agent.start()
        agent.wait_delivered(len(LINES))
    finally:
        agent.kill()
    ids = delivered(tmp_path)
    assert ids[: len(LINES)] == ids[len(LINES) :]
    assert len(set(ids)) == len(LINES)
