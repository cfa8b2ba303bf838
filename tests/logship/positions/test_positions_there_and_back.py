"""From fluentd to the running agent and back: every row once, and nothing left out."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from logship.checkpoint import FILE_NAME
from logship.cli import main
from logship.journal import HEADER, Key, Saved, line
from logship.rows.address import Generation, Position, line_digest
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


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 9), st.integers(0, 9))),
    st.sampled_from(["--fluentd", "--fluent-bit"]),
)
def test_what_is_exported_is_imported_again(logs: dict[str, tuple[int, int]], option: str) -> None:
    """Any place between two rows, in any logs."""
    with TemporaryDirectory() as directory, redirect_stdout(StringIO()):
        home = Path(directory)
        node, config = Node(home), str(home / "logship.yaml")
        stood = {}
        for pod, (rows, read) in logs.items():
            node.log(pod, lines(rows))
            generation = Generation(BEGIN_NS, line_digest(lines(1)))
            stood[pod] = Position(generation, len(lines(min(rows, read))))
        saved = {Key("first", f"prod/uid-{pod}/app/0"): Saved(p, 1) for pod, p in stood.items()}
        (home / "state").mkdir()
        journal = home / "state" / FILE_NAME
        journal.write_bytes(HEADER + b"".join(line(key, one) for key, one in saved.items()))
        theirs = [option, str(home / "theirs"), "--route", "first", "--yes"]
        with redirect_stderr(StringIO()):
            words = ["export", "-c", config, "--links", str(home / "containers"), *theirs]
            assert main(["positions", *words]) == 0
        journal.unlink()
        assert main(["positions", "import", "-c", config, *theirs]) == 0
        found = {key: one.position for key, one in node.saved().items() if key.origin}
        assert found == {key: one.position for key, one in saved.items()}
