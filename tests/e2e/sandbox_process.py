"""The sandbox as a process: Cloud Logging, Pub/Sub and BigQuery on loopback."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from tests.e2e.destinations import Arrived
from tests.e2e.waiting import wait_for

START_SECS = 30.0
_PROGRAM = "import sys; from logship_sandbox.command import run; sys.exit(run(sys.argv[1:]))"


class _Resource(msgspec.Struct):
    labels: dict[str, str] = {}


class Entry(msgspec.Struct):
    """What of a LogEntry the tests look at."""

    logName: str
    insertId: str
    timestamp: str
    textPayload: str = ""
    jsonPayload: dict[str, object] = {}
    resource: _Resource = msgspec.field(default_factory=_Resource)
    labels: dict[str, str] = {}

    def row(self) -> Arrived:
        names = self.resource.labels
        return Arrived(
            self.insertId, self.timestamp, self.logName.rpartition("/")[2], self.textPayload,
            names.get("pod_name", ""), names.get("container_name", ""),
        )  # fmt: skip


class SandboxProcess:
    def __init__(self, home: Path, *options: str) -> None:
        ready = home / "sandbox.json"
        command = [sys.executable, "-c", _PROGRAM, "--ready-file", str(ready), *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for("start of the sandbox", START_SECS, ready.exists)
        self.environment: dict[str, str] = json.loads(ready.read_bytes())

    @property
    def logging_endpoint(self) -> str:
        return self.environment["LOGSHIP_LOGGING_ENDPOINT"]

    def rows(self, project: str) -> list[Arrived]:
        """Every entry of the project as it was written, copies included, in order of arrival."""
        return list(self.each_row(project))

    def each_row(self, project: str) -> Iterator[Arrived]:
        return (entry.row() for entry in self.entries(project))

    def entries(self, project: str) -> Iterator[Entry]:
        """The same, with what is no text."""
        log = f"projects/{project}/logs/"
        with closing(self._connection()) as connection:
            connection.request("GET", "/sandbox/entries")
            for text in connection.getresponse():
                entry = msgspec.json.decode(text, type=Entry)
                if entry.logName.startswith(log):
                    yield entry

    def trouble(self, service: str, fault: Mapping[str, object]) -> None:
        """The fields of `logship_sandbox.Fault`."""
        self._call("POST", "/sandbox/faults", {"service": service, **fault})

    def end_trouble(self) -> None:
        self._call("DELETE", "/sandbox/faults")

    def _call(self, method: str, path: str, body: object = None) -> None:
        with closing(self._connection()) as connection:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            found = answer.read()
            assert answer.status == 200, f"{method} {path}: {answer.status} {found[:500]!r}"

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self.logging_endpoint).netloc, timeout=60)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(START_SECS)
