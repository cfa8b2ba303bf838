"""The real agent as a process, seen only from outside: its exit code, its log, `/status`.

An `Agent` can be started again after it ended, with the same configuration and state directory, as
a DaemonSet's pod is.
"""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import yaml

from logship.journal import parse
from tests.e2e.waiting import LOOK_SECS, now, wait_for

START_SECS = 20.0
STOP_SECS = 30.0
_STEADY_SECS = 2.5  # a file's new generation is looked for every second, and ended after one


class LossStatus(msgspec.Struct):
    events: int
    bytes: int
    """At least so many."""
    exact: bool


class RouteStatus(msgspec.Struct):
    """What of a route's `/status` the tests look at."""

    origins: int
    waiting_bytes: int
    held_bytes: int
    writes_in_flight: int
    delivered_rows: int
    dead_rows: int
    retries: int
    lost_events: int
    lost_bytes: int
    unaccounted_rows: int
    bugs: int
    last_error: str
    lost: dict[str, dict[str, LossStatus]] = {}
    """By namespace and reason."""

    @property
    def drained(self) -> bool:
        return self.waiting_bytes == 0 and self.held_bytes == 0 and self.writes_in_flight == 0


class Status(msgspec.Struct):
    origins: int
    routes: dict[str, RouteStatus]
    origins_undecided: int = 0
    origins_decided_without_metadata: int = 0

    @property
    def drained(self) -> bool:
        return all(route.drained for route in self.routes.values())

    @property
    def trouble(self) -> list[str]:
        """Routes with losses, dead letters or bugs."""
        return [
            f"{name}: {route}"
            for name, route in self.routes.items()
            if route.lost_events or route.dead_rows or route.bugs
        ]


class Agent:
    def __init__(self, home: Path, config: Mapping[str, object], name: str = "agent") -> None:
        """`config` as in the file; the address of `/status` and a state directory are added."""
        self.state_dir = Path(str(config.get("state_dir", home / f"{name}-state")))
        self.log_path = home / f"{name}.log"
        self._port = free_port()
        self._config = home / f"{name}.yaml"
        self.admin = {"listen": f"127.0.0.1:{self._port}"}
        self.added = {"state_dir": str(self.state_dir), "admin": self.admin}
        self._config.write_text(yaml.safe_dump({**self.added, **config}))
        self._process: subprocess.Popen[bytes] | None = None
        self.story: list[str] = []
        """When it was killed."""

    def read_from(self, config: Path) -> None:
        """Its configuration is in this file."""
        self._config = config

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "start it first"
        return self._process

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """`wait`: until `/status` answers."""
        assert not self.alive, "it runs"
        program = [sys.executable, "-m", "logship.cli", "run", "-c", str(self._config)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(program, stdout=log, stderr=log)
        if wait:
            wait_for("answer of the agent", START_SECS, self._answers)

    def _answers(self) -> bool:
        assert self.alive, f"the agent ended:\n{self.log()}"
        return self.try_status() is not None

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def try_status(self) -> Status | None:
        """None while it does not answer. Its routes have to account for every row."""
        answer = self.get("/status")
        if answer is None:
            return None
        assert answer[0] == 200, f"/status: {answer}\n{self.log()}"
        status = msgspec.json.decode(answer[1], type=Status)
        unaccounted = {n: r for n, r in status.routes.items() if r.unaccounted_rows}
        assert not unaccounted, f"rows are nowhere, or twice: {unaccounted}"
        return status

    def get(self, path: str, method: str = "GET") -> tuple[int, bytes] | None:
        """The answer of its own server; None while there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def status(self) -> Status:
        found = self.try_status()
        assert found is not None, f"the agent does not answer:\n{self.log()}"
        return found

    def route(self, name: str = "all") -> RouteStatus:
        return self.status().routes[name]

    def wait_bound(self, origins: int, route: str = "all") -> None:
        """Until the route reads so many origins."""
        wait_for(f"{origins} origins", 20.0, lambda: self.route(route).origins >= origins)

    def wait_saved(self, offset: int) -> None:
        """Until a position at or after this offset has been saved."""
        path = self.state_dir / "positions.journal"

        def saved() -> bool:
            found = parse(path.read_bytes()).positions.values() if path.exists() else ()
            return any(one.position.offset >= offset for one in found)

        wait_for("checkpoint", 20.0, saved)

    def wait_delivered(self, rows: int, secs: float = 30.0, route: str = "all") -> None:
        """Until so many rows (or more) of this start are delivered and nothing is under way."""

        def done() -> bool:
            now = self.route(route)
            return now.delivered_rows + now.dead_rows >= rows and now.drained

        try:
            wait_for(f"delivery of {rows} rows", secs, done)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.try_status()}\n{self.log()}") from None

    def wait_idle(self, secs: float) -> None:
        """Until nothing is under way and nothing new comes up; fails after `secs` without progress.

        Not after `secs` in all: how long it takes to catch up is the machine's affair.
        """
        wait_for("answer of the agent", START_SECS, self._answers)
        now = time.monotonic()
        busy_at, moved_at, delivered = now, now, -1
        while (now := time.monotonic()) - busy_at < _STEADY_SECS:
            status = self.status()
            rows = sum(route.delivered_rows for route in status.routes.values())
            if not status.drained:
                busy_at = now
            if rows != delivered:
                moved_at, delivered = now, rows
            assert now - moved_at < max(secs, _STEADY_SECS + 1), (
                f"no progress: {status}\n{self.log()}"
            )
            time.sleep(LOOK_SECS)

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECS)
        assert "unaccounted for" not in self.log(), self.log()
        return code

    def kill(self) -> None:
        """SIGKILL."""
        if self.alive:
            self.story.append(f"{now()} {self._config.stem}: SIGKILL")
            self.process.kill()
            self.process.wait(STOP_SECS)

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port
