"""The real agent where descriptors are few."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.e2e.waiting import wait_for
from tests.logship.tail.held.agent import lines

HARD = 160
CONFIG = """\
sources: {{logs: {{type: files, paths: [{home}/logs/*.log], start_from: beginning, scan_secs: 1}}}}
routes: [{{name: all, from: [logs], to: out}}]
sinks: {{out: {{type: file, dir: {home}/out}}}}
state_dir: {home}/state
"""


def few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, HARD))


@pytest.fixture
def agent(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """200 logs, 160 descriptors at most, of which the process has 32 when it starts."""
    (tmp_path / "logs").mkdir()
    for n in range(200):
        (tmp_path / "logs" / f"{n}.log").write_bytes(lines(n, 1))
    (tmp_path / "c.yaml").write_text(CONFIG.format(home=tmp_path))
    with (tmp_path / "stderr").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "logship.cli", "run", "-c", str(tmp_path / "c.yaml")],
            stderr=log, preexec_fn=few_descriptors,
        )  # fmt: skip
    yield process
    process.kill()
    process.wait()


def delivered(tmp_path: Path) -> set[str]:
    out = tmp_path / "out" / "logship.jsonl"
    rows = out.read_bytes().splitlines(keepends=True) if out.exists() else []
    return {str(orjson.loads(row)["path"]) for row in rows if row.endswith(b"\n")}


def test_the_soft_limit_is_raised_and_what_does_not_fit_waits_for_room(
    tmp_path: Path, agent: "subprocess.Popen[bytes]"
) -> None:
    logs = 160 - 40
    wait_for(f"{logs} logs", 30, lambda: len(delivered(tmp_path)) >= logs)
    limits = Path(f"/proc/{agent.pid}/limits").read_text()
    (files,) = [line.split() for line in limits.splitlines() if "open files" in line]
    assert files[3:5] == [str(HARD), str(HARD)]
    first = delivered(tmp_path)
    assert len(first) == logs
    with next(iter(map(Path, sorted(first)))).open("ab") as log:
        log.write(lines(1000, 1))  # an open one goes on
    out = tmp_path / "out" / "logship.jsonl"
    wait_for("row of an open log", 30, lambda: out.read_bytes().count(b"\n") == logs + 1)
    for path in sorted(first)[1:]:
        Path(path).unlink()
    wait_for("rest of the logs", 30, lambda: len(delivered(tmp_path)) == 200)
    assert agent.poll() is None
    said = (tmp_path / "stderr").read_text()
    assert said.count("open files may be needed") == 1
    assert said.count("no more files can be opened") == 1
    assert said.count("\n") < 10
    assert "lost rows" not in said
