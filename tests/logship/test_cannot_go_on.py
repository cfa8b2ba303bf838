"""What an agent that cannot start says: which option it is, and what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

CONFIG = """\
sources: {{logs: {{type: files, paths: [/nowhere/*.log]}}}}
routes: [{{name: all, from: [logs], to: out}}]
sinks: {{out: {{type: "null"}}}}
state_dir: {state}
admin: {{listen: "{listen}"}}
"""


def said(home: Path, *, state: str, listen: str = "127.0.0.1:0") -> str:
    """The last line of the log of an agent that ends with 1."""
    file = home / "logship.yaml"
    file.write_text(CONFIG.format(state=state, listen=listen))
    done = subprocess.run(
        [sys.executable, "-m", "logship.cli", "run", "-c", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return str(orjson.loads(done.stderr.splitlines()[-1])["message"])


def test_an_address_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        message = said(tmp_path, state=str(tmp_path / "state"), listen=listen)
    assert message == (
        f"cannot go on: admin.listen: {listen} is in use, perhaps by another agent: end that one, "
        "or give this one another port"
    )


def test_an_address_that_this_machine_does_not_have(tmp_path: Path) -> None:
    message = said(tmp_path, state=str(tmp_path / "state"), listen="192.0.2.1:9464")
    assert message.startswith("cannot go on: admin.listen: cannot listen on 192.0.2.1:9464 (")
    assert message.endswith("choose another address")


def test_a_state_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    message = said(tmp_path, state=str(tmp_path / "state"))
    assert message.startswith(f"cannot go on: state_dir: {tmp_path}/state cannot be used (File ")
    assert message.endswith("let the agent's user write to it, or choose another directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_directory_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.joinpath("state").mkdir(mode=0o500)
    message = said(tmp_path, state=str(tmp_path / "state"))
    assert "cannot be used (Permission denied): let the agent's user write to it" in message
