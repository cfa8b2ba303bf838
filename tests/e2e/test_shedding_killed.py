"""SIGKILL while a route sheds: what is not there is announced, and of ERROR nothing is lost.

A summary settles the rows that it stands for only when it is durable. An agent killed before it
leaves them to the next one, which reads them again, and drops and announces them, or delivers them:
then the numbers are exact, though what was kept of these rows has been delivered long before. Where
it is killed when a summary is durable and its position not saved, rows may be announced that arrive
after all: too many then, never too few (docs/architecture.md).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import orjson
import pytest

from logship.journal import parse
from tests.e2e.agent_process import Agent
from tests.e2e.configs import containers, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.kubelet import ContainerLog
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

ROUTE = "all"
KEPT = {0: "ERROR", 17: "WARNING", 25: "INFO", 33: "ERROR"}
"""Of each so many rows; the others are DEBUG."""
PERIOD = 40
RULE = {"name": "debug", "severity": "DEBUG", "keep_one_in": 20}
SHED = {"rules": [RULE], "rotation_risk_secs": None, "throttled_secs": 1}
SOON, NOT_YET = 1, 600
"""`calm_secs`: whether shedding ends when the destination works again."""
MEMORY_BYTES = 6 << 20
"""Little, so that rows wait soon: what is in memory does not."""
BURST, MUCH, MANY = 40, 6_000, 500
SECS = 40.0
REFUSES_ALL = {"share_429": 1.0}


class _Shedding(msgspec.Struct):
    severities: list[str]


class _Route(msgspec.Struct):
    shedding: _Shedding
    dropped_rows: dict[str, int]
    held_bytes: int


class _Status(msgspec.Struct):
    routes: dict[str, _Route]


@dataclass
class Stage:
    agent: Agent
    sandbox: SandboxProcess
    project: str
    log: ContainerLog
    calm: ContainerLog
    """Of a pod whose row is kept: all that was delivered before it is saved with it."""
    written: list[str] = field(default_factory=list)
    """The severity of each row."""

    def say(self, rows: int = BURST) -> None:
        numbers = range(len(self.written), len(self.written) + rows)
        self.written += [KEPT.get(n % PERIOD, "DEBUG") for n in numbers]
        texts = [orjson.dumps({"n": n, "severity": self.written[n], "pad": "x" * 200}).decode()
                 for n in numbers]  # fmt: skip
        self.log.say(*texts)

    def sheds(self) -> bool:
        """It has dropped many rows."""
        self.say()
        route = self._route()
        return bool(route.shedding.severities) and route.dropped_rows.get("shed:debug", 0) >= MANY

    def wait_for_the_rest(self) -> None:
        """What it kept is delivered, and that is saved."""
        wait_for("delivery of what was kept", SECS, lambda: self._route().held_bytes == 0)
        self.calm.say('{"severity":"ERROR"}')
        wait_for("position that is saved", SECS, self._calm_is_saved)

    def _calm_is_saved(self) -> bool:
        journal = (self.agent.state_dir / "positions.journal").read_bytes()
        saved = {key.origin: one.position.offset for key, one in parse(journal).positions.items()}
        return any("calm-0" in name and at == self.calm.size for name, at in saved.items())

    def _route(self) -> _Route:
        answer = self.agent.get("/status")
        assert answer is not None, self.agent.log()
        return msgspec.json.decode(answer[1], type=_Status).routes[ROUTE]

    def announced(self) -> Counter[str]:
        """Rows that summaries say were dropped, by severity; a copy of a summary counts once."""
        found: dict[str, tuple[str, int]] = {}
        for entry in self.sandbox.entries(self.project):
            if (rows := entry.labels.get("logship/dropped_rows")) is not None:
                said = entry.labels["logship/dropped_severity"], int(rows)
                assert found.setdefault(entry.insertId, said) == said
        total: Counter[str] = Counter()
        for severity, number in found.values():
            total[severity] += number
        return total

    def missing(self) -> Counter[str]:
        """Rows that are not there, by severity."""
        there = {
            entry.jsonPayload["n"]
            for entry in self.sandbox.entries(self.project)
            if "n" in entry.jsonPayload
        }
        return Counter(said for n, said in enumerate(self.written) if n not in there)

    def done(self) -> bool:
        """The shedding has ended, and everything is delivered."""
        return not self._route().shedding.severities and self.agent.status().drained


MakeStage = Callable[[str], Stage]
MakeShedder = Callable[[str, int], Agent]


@pytest.fixture
def make_shedder(make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path) -> MakeShedder:
    """With the state directory of the one before of this name."""

    def make(name: str, calm_secs: int) -> Agent:
        shed = {**SHED, "calm_secs": calm_secs}
        route = {"name": ROUTE, "from": ["containers"], "to": "gcl", "shed": shed}
        config: Mapping[str, object] = {
            "sources": {"containers": containers(tmp_path / name)},
            "routes": [route],
            "sinks": {"gcl": logging_sink(sandbox.logging_endpoint, name)},
            "memory": {"max_bytes": MEMORY_BYTES},
        }
        return make_agent(config, name)

    return make


@pytest.fixture
def make_stage(make_shedder: MakeShedder, sandbox: SandboxProcess, tmp_path: Path) -> MakeStage:
    def make(name: str) -> Stage:
        logs = ContainerLog(tmp_path / name, "web-0"), ContainerLog(tmp_path / name, "calm-0")
        return Stage(make_shedder(name, SOON), sandbox, name, *logs)

    return make


@pytest.mark.timeout(180)
def test_killed_while_it_sheds_it_announces_what_is_missing(
    make_stage: MakeStage, make_shedder: MakeShedder, sandbox: SandboxProcess
) -> None:
    silent, telling = make_stage("killed-silent"), make_stage("killed-telling")
    silent.agent = make_shedder(silent.project, NOT_YET)
    silent.say()
    silent.agent.start()
    silent.agent.wait_delivered(BURST)
    sandbox.trouble("logging", REFUSES_ALL)
    silent.say(MUCH)
    wait_for("shedding", SECS, silent.sheds)
    sandbox.end_trouble()
    silent.wait_for_the_rest()
    sandbox.trouble("logging", REFUSES_ALL)
    silent.agent.kill()
    assert not silent.announced(), "else this shows less than it says"
    silent.say(MUCH)
    silent.log.rotate()
    silent.agent = make_shedder(silent.project, SOON)

    telling.say(MUCH)
    for stage in (silent, telling):
        stage.agent.start()
    wait_for("shedding", SECS, lambda: silent.sheds() & telling.sheds())
    sandbox.end_trouble()
    wait_for("summary", SECS, lambda: bool(telling.announced()))
    telling.agent.kill()
    telling.agent.start()
    wait_for("end of shedding", SECS, lambda: silent.done() and telling.done())
    telling.agent.wait_idle(SECS)

    assert silent.missing() == silent.announced() > Counter()
    assert telling.missing() <= telling.announced() <= Counter(telling.written)
    assert telling.announced().keys() == {"DEBUG"}
    for stage in (silent, telling):
        assert stage.done()
        assert stage.agent.status().trouble == []
