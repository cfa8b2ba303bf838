"""One containerd for all tests here; one agent and one sandbox for each file of tests."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.configs import containers, file_sink, logging_sink
from tests.e2e.containerd.conmon import ConmonContainer, ConmonHost
from tests.e2e.containerd.daemon import Containerd, missing
from tests.e2e.containerd.pods import Pod
from tests.e2e.containerd.shipment import Shipment
from tests.e2e.sandbox_process import SandboxProcess

StartConmon = Callable[..., ConmonContainer]


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    reason = missing("containerd", "ctr", "runc")
    if reason is not None:
        pytest.skip(reason)
    daemon = Containerd(tmp_path_factory.mktemp("ctd"))
    try:
        yield daemon
    finally:
        daemon.close()


_numbers = itertools.count()


@pytest.fixture
def pod(containerd: Containerd) -> Iterator[Pod]:
    """A pod of the test's own, without containers."""
    made = containerd.pod(f"pod-{next(_numbers)}")
    yield made
    made.remove()


@pytest.fixture
def lone_pod(containerd: Containerd, tmp_path: Path) -> Iterator[Pod]:
    """The same, with a log directory of its own: an agent on it sees no logs of other tests."""
    logs = tmp_path / "pods"
    logs.mkdir()
    made = containerd.pod(f"pod-{next(_numbers)}", logs)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def conmon_host(tmp_path_factory: pytest.TempPathFactory) -> ConmonHost:
    reason = missing("conmon", "runc")
    if reason is not None:
        pytest.skip(reason)
    return ConmonHost(tmp_path_factory.mktemp("conmon"))


@pytest.fixture
def start_conmon(conmon_host: ConmonHost) -> Iterator[StartConmon]:
    """Start a container that runs a script; with more options of conmon."""
    started: list[ConmonContainer] = []

    def one(script: str, *options: str) -> ConmonContainer:
        started.append(conmon_host.start(f"conmon-{next(_numbers)}", script, *options))
        return started[-1]

    yield one
    for container in started:
        container.remove()


@pytest.fixture(scope="module")
def conmon_shipment(
    conmon_host: ConmonHost, sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shipment]:
    """The real agent ships all logs of conmon's containers."""
    started = ship(tmp_path_factory.mktemp("agent"), conmon_host.logs, sandbox)
    try:
        yield started
    finally:
        started.agent.kill()


@pytest.fixture(scope="module")
def shipment(
    containerd: Containerd, sandbox: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shipment]:
    """The real agent ships all logs of containerd to a file sink and to Cloud Logging."""
    home = tmp_path_factory.mktemp("agent")
    started = ship(home, containerd.logs, sandbox)
    try:
        yield started
    finally:
        started.agent.kill()


def ship(home: Path, logs: Path, sandbox: SandboxProcess) -> Shipment:
    logs.mkdir(exist_ok=True)
    out = home / "out"
    config: dict[str, object] = {
        "sources": {"containers": containers(logs)},
        "routes": [
            {"name": "local", "from": ["containers"], "to": "files", "continue": True},
            {"name": "cloud", "from": ["containers"], "to": "gcl"},
        ],
        "sinks": {
            "files": file_sink(out),
            "gcl": logging_sink(sandbox.logging_endpoint, home.name),
        },
    }
    agent = Agent(home, config)
    agent.start()
    return Shipment(agent, out, sandbox, home.name)
