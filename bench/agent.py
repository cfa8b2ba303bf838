"""logship as a measured process: its configuration, and whether it is done by its own account."""

import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import orjson

from bench.destinations import Ports
from bench.paths import PROJECT, Options
from bench.paths import Path as Way
from bench.ports import free_port
from bench.process import Cost, measured
from bench.workload import Workload

Kind = str
"""Of the row kernel: `compiled` or `pure`."""


class _Route(msgspec.Struct):
    origins: int
    waiting_bytes: int | None
    held_bytes: int
    writes_in_flight: int
    delivered_rows: int
    delivered_bytes: int

    @property
    def at_rest(self) -> bool:
        return not (self.waiting_bytes or self.held_bytes or self.writes_in_flight)


class _Status(msgspec.Struct):
    origins: int
    routes: dict[str, _Route]


class Agent:
    """One process of logship, to be measured once."""

    def __init__(self, directory: Path, kernel: Kind, config: Mapping[str, object]) -> None:
        self._port = free_port()
        self._file = directory / "agent.json"  # JSON is YAML
        self._environment = {"LOGSHIP_KERNEL": kernel}
        state = directory / f"state-{self._port}"
        admin = {"listen": f"127.0.0.1:{self._port}"}
        self._file.write_bytes(
            orjson.dumps({**config, "state_dir": str(state), "admin": admin, "log_level": "error"})
        )
        self.status: _Status | None = None
        """The last that it told."""

    def ship(self, origins: int, rows: int) -> Cost:
        """Run until all is delivered: so many rows of so many origins, as far as it counts rows."""
        command = [sys.executable, "-m", "logship.cli", "run", "-c", str(self._file)]
        cost = measured(command, lambda: self._done(origins, rows), environment=self._environment)
        if not self._done_last(origins, rows):
            raise RuntimeError(f"the agent did not deliver all: {self.status}")
        return cost

    @property
    def delivered_rows(self) -> int:
        assert self.status is not None
        return sum(route.delivered_rows for route in self.status.routes.values())

    def _done(self, origins: int, rows: int) -> bool:
        self.status = None
        with suppress(OSError):
            url = f"http://127.0.0.1:{self._port}/status"
            with urllib.request.urlopen(url, timeout=10) as answer:
                self.status = msgspec.json.decode(answer.read(), type=_Status)
        return self._done_last(origins, rows)

    def _done_last(self, origins: int, rows: int) -> bool:
        status = self.status
        if status is None or status.origins < origins:
            return False
        at_rest = all(route.at_rest for route in status.routes.values())
        return at_rest and self.delivered_rows >= rows


def of_path(way: Way, work: Workload, ports: Ports) -> Mapping[str, object]:
    """The agent's configuration; `routes` of a path say what is special about theirs."""
    source = {
        "type": "kubernetes",
        "root": str(work.root),
        "start_from": "beginning",
        "metadata": {"from": "file", "path": str(work.pods)},
    }
    routes = [
        {"name": f"route-{number}", "from": ["containers"], **route}
        for number, route in enumerate(way.routes)
    ]
    return {
        "cluster": "bench",
        "node": "node-1",
        "sources": {"containers": source},
        "routes": routes,
        "sinks": way.sinks(ports),
    }


def of_loader(pubsub: str, subscription: str, project: str, ports: Ports) -> Options:
    """The loader's configuration: from that Pub/Sub into our AppendRows."""
    source = {
        "type": "pubsub", "project": project, "subscription": subscription, "endpoint": pubsub,
    }  # fmt: skip
    sink = {
        "type": "bigquery", "project": PROJECT, "dataset": "logs", "table": "app",
        "create": False, "endpoint": f"http://127.0.0.1:{ports.logging}",
        "grpc_endpoint": f"127.0.0.1:{ports.bigquery}",
    }  # fmt: skip
    return {
        "sources": {"blocks": source},
        "routes": [{"name": "load", "from": ["blocks"], "to": "table"}],
        "sinks": {"table": sink},
    }
