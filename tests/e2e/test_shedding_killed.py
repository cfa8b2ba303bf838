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
SHED = {"rules": [RULE], "rotation_risk_secs": None, "throttled_secs": 1, "calm_secs": 3}
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
    """Of a pod whose rows are kept: it tells what has been saved."""
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

    def has_delivered_the_rest(self) -> bool:
        """What it kept is delivered, and that is saved; it still sheds."""
        journal = self.agent.state_dir / "positions.journal"
        size = self.calm.size
        saved = parse(journal.read_bytes()).positions.items()
        there = any("calm" in k.origin and v.position.offset == size > 0 for k, v in saved)
        return there and not self._route().held_bytes

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


@pytest.fixture
def make_stage(make_agent: MakeAgent, sandbox: SandboxProcess, tmp_path: Path) -> MakeStage:
    def make(name: str) -> Stage:
        pods = tmp_path / name
        route = {"name": ROUTE, "from": ["containers"], "to": "gcl", "shed": SHED}
        config: Mapping[str, object] = {
            "sources": {"containers": containers(pods)},
            "routes": [route],
            "sinks": {"gcl": logging_sink(sandbox.logging_endpoint, name)},
            "memory": {"max_bytes": MEMORY_BYTES},
        }
        logs = ContainerLog(pods, "web-0"), ContainerLog(pods, "calm-0")
        return Stage(make_agent(config, name), sandbox, name, *logs)

    return make


@pytest.mark.timeout(180)
def test_killed_while_it_sheds_it_announces_what_is_missing(
    make_stage: MakeStage, sandbox: SandboxProcess
) -> None:
    silent, telling = make_stage("killed-silent"), make_stage("killed-telling")
    silent.say()
    silent.agent.start()
    silent.agent.wait_delivered(BURST)
    sandbox.trouble("logging", REFUSES_ALL)
    silent.say(MUCH)
    wait_for("shedding", SECS, silent.sheds)
    silent.calm.say('{"severity":"ERROR"}')
    sandbox.end_trouble()
    wait_for("delivery of what was kept", SECS, silent.has_delivered_the_rest)
    sandbox.trouble("logging", REFUSES_ALL)
    silent.agent.kill()
    assert not silent.announced(), "else this shows less than it says"
    silent.say(MUCH)
    silent.log.rotate()

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
