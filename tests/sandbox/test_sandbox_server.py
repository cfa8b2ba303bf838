"""The sandbox as a program: options, what it prints, how it ends."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import grpc
import pytest

from logship_sandbox.server import Options

PROGRAM = "import sys; from logship_sandbox.command import run; sys.exit(run(sys.argv[1:]))"
TIMEOUT_SECS = 20


def start(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PROGRAM, "--no-bigquery", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def output_of_failure(*arguments: str) -> str:
    process = start(*arguments)
    output, _ = process.communicate(timeout=TIMEOUT_SECS)
    assert process.returncode == 2
    return output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_variables_serves_and_ends_at_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready.json"
    process = start("--ready-file", str(ready))
    assert process.stdout is not None
    try:
        printed = {}
        for line in process.stdout:
            if line.startswith("# The sandbox is ready"):
                break
            name, _, value = line.removeprefix("export ").strip().partition("=")
            printed[name] = value
        assert printed == json.loads(ready.read_text())
        with urllib.request.urlopen(printed["LOGSHIP_SANDBOX_ADMIN"] + "/stats") as answer:
            assert set(json.load(answer)) == {"logging", "pubsub"}
        with grpc.insecure_channel(printed["PUBSUB_EMULATOR_HOST"]) as channel:
            grpc.channel_ready_future(channel).result(TIMEOUT_SECS)
    finally:
        process.send_signal(number)
        process.communicate(timeout=TIMEOUT_SECS)
    assert process.returncode == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_a_host_that_is_not_loopback_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="loopback only"):
        Options(host=host)


def test_the_program_says_why_it_refuses_a_host() -> None:
    assert "use 127.0.0.1" in output_of_failure("--host", "0.0.0.0")


@pytest.mark.parametrize("option", ["--logging-port", "--pubsub-port"])
def test_a_port_that_is_taken_is_named(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in output_of_failure(option, port)
