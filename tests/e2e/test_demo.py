"""`logship demo` as a person runs it: a few seconds long, and stopped in the middle."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(180)
_BOUND_SECS = 150


@contextmanager
def demo(tmp: Path, words: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """The demo, with its temporary directory under `tmp`; it is stopped, never left alone."""
    process = subprocess.Popen(
        [sys.executable, "-m", "logship.cli", "demo", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "TMPDIR": str(tmp)},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(30)


def leftovers(tmp: Path) -> list[str]:
    """Processes that still know the demo's directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(tmp) in command and "logship.cli" in command:
            found.append(command)
    return found


def numbers(printed: str, line: str) -> list[int]:
    """The figures of a line of the account."""
    found = next(row for row in printed.splitlines() if line in row)
    return [int(figure.replace(",", "")) for figure in re.findall(r"[\d,]+", found.split(line)[1])]


def test_the_demo_accounts_for_every_row(tmp_path: Path) -> None:
    with demo(tmp_path, ["--seconds", "5", "--rate", "2000", "--seed", "7"]) as process:
        printed, _ = process.communicate(timeout=_BOUND_SECS)
    assert process.returncode == 0, printed
    written = numbers(printed, "written by the containers")
    assert len(written) == 2
    assert min(written) > 1000
    assert numbers(printed, "found with the same text and time") == written
    assert numbers(printed, "lost") == [0, 0]
    assert numbers(printed, "copies after it") == [0, 0]
    assert "agent killed with SIGKILL" in printed
    assert "Events per service and minute" in printed
    assert "Slowest paths" in printed
    assert list(tmp_path.iterdir()) == []
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with demo(tmp_path, ["--seconds", "60", "--rate", "200"]) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "agent runs" in line:
                break
        process.send_signal(number)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 130, printed
    assert list(tmp_path.iterdir()) == []
    assert leftovers(tmp_path) == []
