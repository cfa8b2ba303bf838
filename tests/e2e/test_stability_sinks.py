"""One sink is gone, stands still, throttles or never answers: short forms of `bench faults`.

Two routes read the same logs. In each test the route with the fault delivers nothing of what is
written meanwhile (else the test would show nothing), the other one all of it; afterwards every row
has arrived, and the account of both routes is exact.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.faults.sink import Fault
from bench.faults.stage import Sink, python
from bench.lines import token
from bench.processes import ended
from logship.delivery.circuit import OPEN_AFTER
from tests.e2e.account_of_status import assert_each_row_once, fates
from tests.e2e.agent_process import Agent
from tests.e2e.configs import Options, containers, file_sink, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import assert_each_once, rows_in
from tests.e2e.kubelet import ContainerLog
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

BEFORE, FIRST, MEANWHILE = 2_000, 100, 7_900
"""Rows until the fault, the first ones into it, and all others until it ends."""
ROWS = BEFORE + FIRST + MEANWHILE
ROTATIONS = 3


def texts(start: int, stop: int) -> list[str]:
    """With the number that the benchmark's sink looks for."""
    return [f"row {number} rid={token(number)}" for number in range(start, stop)]


class Ordeal:
    """An agent with the routes `faulty` and `other`, the latter to files, and one log."""

    def __init__(self, make_agent: MakeAgent, home: Path, faulty: Options) -> None:
        self.out = home / "out"
        self.log = ContainerLog(home / "pods", "web-0", keep_files=ROTATIONS + 2)
        self.agent: Agent = make_agent(
            {
                "sources": {"containers": containers(home / "pods")},
                "routes": [
                    {"name": "faulty", "from": ["containers"], "to": "faulty", "continue": True},
                    {"name": "other", "from": ["containers"], "to": "other"},
                ],
                "sinks": {"faulty": faulty, "other": file_sink(self.out)},
            }
        )

    def begin(self) -> None:
        """Both routes work."""
        self.log.say(*texts(0, BEFORE))
        self.agent.start()
        for route in ("faulty", "other"):
            self.agent.wait_delivered(BEFORE, route=route)
        self.writes_before = fates(self.agent, "faulty").writes_by_result["delivered"]

    def say_first(self) -> None:
        """What meets the fault."""
        self.log.say(*texts(BEFORE, BEFORE + FIRST))

    def go_on(self, rotations: int = ROTATIONS) -> None:
        """Write and rotate; the other route delivers all of it, the faulty one nothing."""
        step = MEANWHILE // (rotations + 1)
        for start in range(BEFORE + FIRST, ROWS, step):
            self.log.say(*texts(start, start + step))
            if start + step < ROWS:
                self.log.rotate()
        self.agent.wait_delivered(ROWS, route="other")
        assert fates(self.agent, "faulty").delivered_rows == BEFORE, "else this test shows nothing"

    def wait_result(self, result: str, times: int) -> None:
        """Until so many writes of the faulty route came to this."""

        def so_many() -> bool:
            return fates(self.agent, "faulty").writes_by_result.get(result, 0) >= times

        wait_for(f"{times} writes that are {result}", 20, so_many)

    def end(self) -> None:
        """The fault has ended; everything arrives."""
        self.agent.wait_delivered(ROWS, 60, route="faulty")
        for route in ("faulty", "other"):
            assert_each_row_once(self.agent, route, ROWS)
        assert_each_once(rows_in(self.out), texts(0, ROWS))
        assert self.agent.status().trouble == []
        assert self.agent.terminate() == 0


@pytest.fixture
def server() -> Iterator[Sink]:
    """A Cloud Logging that can be gone or stand still as a process does."""
    with ended(python("bench.faults.sink")) as process:
        yield Sink(process)


def of_server(server: Sink) -> Options:
    return logging_sink(f"http://127.0.0.1:{server.port}", "p")


def test_a_server_that_is_gone_delays_its_own_route_only_and_loses_nothing(
    make_agent: MakeAgent, server: Sink, tmp_path: Path
) -> None:
    ordeal = Ordeal(make_agent, tmp_path, of_server(server))
    ordeal.begin()
    server.fault(Fault("refuse"))
    ordeal.say_first()
    ordeal.wait_result("failed", OPEN_AFTER)
    ordeal.go_on(rotations=0)  # the longer it takes, the longer is the wait for the next try
    assert fates(ordeal.agent, "faulty").held_rows <= FIRST, "it hoards for a sink that is away"
    server.fault(Fault())
    ordeal.end()
    arrived = server.arrived()
    assert (arrived.rows, arrived.distinct_ids, arrived.distinct_numbers) == (ROWS, ROWS, ROWS)


def test_a_server_that_stands_still_delays_its_own_route_only_and_loses_nothing(
    make_agent: MakeAgent, server: Sink, tmp_path: Path
) -> None:
    ordeal = Ordeal(make_agent, tmp_path, of_server(server))
    ordeal.begin()
    server.fault(Fault("hang"))
    ordeal.say_first()
    ordeal.go_on()
    assert fates(ordeal.agent, "faulty").writes_by_result == {"delivered": ordeal.writes_before}
    server.fault(Fault())
    ordeal.end()
    arrived = server.arrived()
    assert (arrived.rows, arrived.distinct_ids, arrived.distinct_numbers) == (ROWS, ROWS, ROWS)


def test_a_spell_and_a_storm_of_429_cost_no_row_and_no_copy(
    make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    ordeal = Ordeal(make_agent, tmp_path, logging_sink(sandbox.logging_endpoint, "throttled"))
    ordeal.begin()
    sandbox.trouble("logging", {"share_429": 1.0})
    ordeal.say_first()
    try:
        ordeal.go_on()
        wait_for("429", 20, lambda: fates(ordeal.agent, "faulty").throttled >= 3)
        sandbox.trouble("logging", {"share_429": 0.3, "retry_after_secs": 1})
        ordeal.end()
    finally:
        sandbox.end_trouble()
    assert_each_once(sandbox.rows("throttled"), texts(0, ROWS))


def test_a_sink_that_never_answers_is_given_up_and_costs_no_row(
    make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path
) -> None:
    sink = logging_sink(sandbox.logging_endpoint, "mute") | {"write_timeout_secs": 0.5}
    ordeal = Ordeal(make_agent, tmp_path, sink)
    ordeal.begin()
    sandbox.trouble("logging", {"share_hung": 1.0})
    ordeal.say_first()
    try:
        ordeal.go_on()
        ordeal.wait_result("timed_out", 2)
    finally:
        sandbox.end_trouble()
    ordeal.end()
    assert_each_once(sandbox.rows("mute"), texts(0, ROWS))
