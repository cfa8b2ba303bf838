"""From fluentd to the running agent and back: every row once, and nothing left out."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson

from logship.testing import cri_line
from tests.logship.positions.node import BEGIN_NS, SECOND_NS, Node, inode, lines

TIMEOUT_SECS = 30


def delivered(out: Path) -> Counter[str]:
    text = (out / "logship.jsonl").read_bytes() if (out / "logship.jsonl").exists() else b""
    return Counter(orjson.loads(line)["text"] for line in text.splitlines())


def run_until(node: Node, rows: int) -> None:
    """The agent, until so many rows are delivered."""
    command = [sys.executable, "-m", "logship.cli", "run", "-c", str(node.home / "logship.yaml")]
    agent = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + TIMEOUT_SECS
        while delivered(node.home / "out").total() < rows and agent.poll() is None:
            assert time.monotonic() < end, delivered(node.home / "out")
            time.sleep(0.05)
    finally:
        agent.send_signal(signal.SIGTERM)
        _, err = agent.communicate(timeout=TIMEOUT_SECS)
    assert agent.returncode == 0, err


def test_fluentd_logship_fluentd(node: Node) -> None:
    logs = {pod: node.log(pod, lines(25)) for pod in ("web", "db")}
    file = node.home / "containers.pos"
    read = {"web": 10, "db": 25}
    file.write_text("".join(
        f"{node.link(pod)}\t{len(lines(count)):016x}\t{inode(logs[pod]):016x}\n"
        for pod, count in read.items()
    ))  # fmt: skip
    node.rotate("web", lines(5, first=25))
    assert node.run("import", "--fluentd", str(file), "--yes").code == 0

    run_until(node, 2 * (15 + 5))

    found = delivered(node.home / "out")
    assert found == Counter({f"row {n}": 2 for n in range(10, 30)})  # by each of the two routes
    said = node.run(
        "export", "--fluentd", str(file), "--links", str(node.home / "containers"), "--yes"
    )
    assert (said.code, said.err) == (0, "")
    for pod in read:
        live = node.link(pod).resolve()
        entry = f"{node.link(pod)}\t{live.stat().st_size:016x}\t{inode(live):016x}\n"
        assert entry in file.read_text()


def test_fluentd_began_again_and_logship_goes_on_behind_it(node: Node) -> None:
    """A second move: the positions of the first are old, and are replaced."""
    log, file = node.log("web", lines(25)), node.home / "containers.pos"
    for count in (10, 20):
        at = len(lines(count))
        file.write_text(f"{node.link('web')}\t{at:016x}\t{inode(log):016x}\n")
        assert node.run("import", "--fluentd", str(file), "--replace", "--yes").code == 0
    with log.open("ab") as more:
        more.write(cri_line("row 25", time_ns=BEGIN_NS + 25 * SECOND_NS))
        os.fsync(more.fileno())
    run_until(node, 2 * 6)
    assert delivered(node.home / "out") == Counter({f"row {n}": 2 for n in range(20, 26)})
