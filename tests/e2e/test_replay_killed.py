"""`logship deadletters replay` killed in full flow: a letter is in the files or delivered."""

import asyncio
import subprocess
import sys
from pathlib import Path

import yaml

from logship.api import Refused
from logship.delivery.deadletters import DeadLetters
from logship.testing import texts_batch, world
from tests.e2e.configs import logging_sink, one_route
from tests.e2e.destinations import assert_copies_agree, rows_in
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

ROWS = 2500
TIMEOUT_SECS = 60


def bury(directory: Path) -> dict[str, str]:
    """Letters on the disk; by id their texts."""
    here = world()
    batch = texts_batch([f"row {number}" for number in range(ROWS)])
    batch.route = "all"
    letters = DeadLetters(str(directory), 1 << 30, 3600, here)
    try:
        refused = [Refused(0, row, "why") for row in range(ROWS)]
        asyncio.run(letters.store(letters.encoded("out", batch, refused)))
    finally:
        here.offload.close()
    return dict(zip(batch.ids(), batch.rows.texts, strict=True))


def test_a_replay_that_is_killed_loses_nothing_and_the_next_one_ends_it(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sink = logging_sink(sandbox.logging_endpoint, "killed")
    config = one_route(tmp_path / "pods", sink, state_dir=str(tmp_path))
    (tmp_path / "agent.yaml").write_text(yaml.safe_dump(config))
    directory = tmp_path / "deadletters"
    wanted = bury(directory)
    program = [sys.executable, "-m", "logship.cli", "deadletters", "replay", "--yes"]
    command = [*program, "-c", str(tmp_path / "agent.yaml")]
    sandbox.trouble("logging", {"latency_secs": 0.3})
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for("a chunk", 30, lambda: len(rows_in(directory)) < ROWS)
        process.kill()
        process.wait(10)
    finally:
        sandbox.end_trouble()
    left = {row.id for row in rows_in(directory)}
    assert 0 < len(left) < ROWS, "else this test shows nothing"
    assert left | {row.id for row in sandbox.rows("killed")} == wanted.keys()

    subprocess.run(command, check=True, timeout=TIMEOUT_SECS, stdout=subprocess.DEVNULL)
    rows = sandbox.rows("killed")
    assert {row.id: row.text for row in rows} == wanted
    assert_copies_agree(rows)
    assert rows_in(directory) == []
