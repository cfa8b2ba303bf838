"""What every machine shares: the node's files, the agent on it, and what must hold of both."""

import asyncio
import json
import tempfile
from collections.abc import Coroutine
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from logship.tail.absent import ABSENT_SECS
from logship.testing.virtual_time import EPOCH_NS
from tests.property.agent_model.agent import Agents, Choices
from tests.property.agent_model.arrivals import Arrivals, Ids, Place, check_order
from tests.property.agent_model.knowable import Knowable
from tests.property.agent_model.sinks import MOODS, Destination, Mood
from tests.property.agent_model.tree import Tree
from tests.property.agent_model.world import TickingLoop
from tests.property.agent_model.written import WrittenFile

SEEN_SECS = 2.5
"""A file that was there for so long while the agent ran is held by it."""
QUIET_SECS = 100.0
"""After so long without a new byte everything must have arrived."""
MEMORY = Path("/dev/shm")


class Stage(RuleBasedStateMachine):
    """A place where an agent works; what happens there is said by the machines made of it."""

    def __init__(self) -> None:
        super().__init__()
        place = str(MEMORY) if MEMORY.is_dir() else None
        self.temporary = tempfile.TemporaryDirectory(prefix="logship-model-", dir=place)
        self.root = Path(self.temporary.name) / "pods"
        self.root.mkdir()
        self.loop = TickingLoop()
        self.tree = Tree(lambda: EPOCH_NS + int(self.now() * 1e9))
        self.ids = Ids()
        self.destinations = {
            name: Destination(Arrivals(route, self.ids, self.now))
            for name, route in (("a", "first"), ("b", "second"))
        }
        self.up = False
        self.knowable = Knowable(self.ids)

    agents: Agents
    ordered = True
    """Whether ids must sort as the rows were written."""

    def now(self) -> float:
        return self.loop.time()

    def do(self, work: Coroutine[None, None, None]) -> None:
        self.loop.run_until_complete(work)

    def pass_time(self, secs: float) -> None:
        self.do(asyncio.sleep(secs))

    def end_records(self) -> None:
        """Nothing stays open: a quiet log must be delivered to its last byte."""

    def write_more(self) -> None:
        """A row in each log."""

    def first_start(self, choices: Choices, source: str) -> None:
        """It saves that it has run, so that all that comes later is new and read from the start."""
        state = Path(self.temporary.name) / "state"
        self.agents = Agents(self.tree, self.root, state, self.destinations, choices, source)
        self.start()
        self.pass_time(SEEN_SECS)

    def may_delete(self, file: WrittenFile) -> bool:
        """The agent is not asked to hold what it had no time to see."""
        return not self.up or self.now() - max(self.agents.since, file.made_at) >= SEEN_SECS

    # What happens to the agent and its destinations

    @rule(name=st.sampled_from("ab"), mood=st.sampled_from(MOODS))
    def destination(self, name: str, mood: Mood) -> None:
        self.destinations[name].mood = mood

    @rule(secs=st.sampled_from([0.02, 0.1, 0.5, 1.0, 2.0, 6.0, 40.0]))
    def wait(self, secs: float) -> None:
        self.pass_time(secs)

    @rule(turns=st.integers(1, 40))
    def run_a_little(self, turns: int) -> None:
        self.do(_turns(turns))

    @precondition(lambda self: not self.up)
    @rule()
    def start(self) -> None:
        self.note_deleted()
        self.knowable.start(self.agents.saved())
        self.do(self.agents.start())
        self.up = True

    @precondition(lambda self: self.up)
    @rule(turns=st.integers(0, 40), torn=st.booleans())
    def crash(self, turns: int, torn: bool) -> None:
        self.do(_turns(turns))
        self.do(self.agents.crash(torn=torn))
        self.gone()

    @precondition(lambda self: self.up)
    @rule()
    def stop(self) -> None:
        self.do(self.agents.stop())
        self.gone()

    def gone(self) -> None:
        self.up = False
        self.note_deleted()
        self.knowable.end(self.now() - self.agents.since)

    def note_deleted(self) -> None:
        """Files without a name and without an agent that holds them are gone for good."""
        for log in self.ids.logs.values():
            for file in log.files:
                file.at_risk = file.at_risk or not (self.up or file.exists)

    # What must hold

    @invariant()
    def nothing_is_wrong(self) -> None:
        if not self.up:
            self.note_deleted()
        assert not self.ids.problems, self.ids.problems[0]
        if hasattr(self, "agents"):
            complaints = self.agents.complaints()
            assert not complaints, complaints[0]

    @rule()
    def become_quiet(self) -> None:
        """Everything works again and nothing new is written: all must have arrived."""
        self.end_records()
        for destination in self.destinations.values():
            destination.mood = "works"
        if not self.up:
            self.start()
        until = self.now() + QUIET_SECS
        self.pass_time(SEEN_SECS)
        while self.now() < until and not self.is_quiet():
            self.pass_time(1.0)
        self.nothing_is_wrong()
        self.check_missing()
        self.check_agent()
        if self.ordered:
            check_order(self.ids)
        self.nothing_is_wrong()

    def is_quiet(self) -> bool:
        missing = self.missing()
        pipeline = self.agents.pipeline
        assert pipeline is not None
        return (
            all(place[0].at_risk for place in missing)
            and not any(route.waiting_bytes() for route in pipeline.routes)
            and not any(route.budget.held for route in pipeline.routes)
        )

    def missing(self) -> list[Place]:
        self.read_dead_letters()
        return [place for d in self.destinations.values() for place in d.arrivals.missing()]

    def read_dead_letters(self) -> None:
        arrivals = {d.arrivals.route: d.arrivals for d in self.destinations.values()}
        for path in (self.agents.state / "deadletters").glob("*.jsonl"):
            for line in path.read_bytes().splitlines():
                letter = json.loads(line)
                arrivals[letter["route"]].dead(letter["id"])

    def check_missing(self) -> None:
        """Only what was deleted while no agent held it may be missing, and that is reported."""
        for destination in self.destinations.values():
            arrivals = destination.arrivals
            for file, offset in arrivals.missing():
                text = f"{arrivals.route}: {file.path.name} of {file.log.key} at {offset}"
                assert file.at_risk, f"lost: {text} {file.parts[offset].line[:80]!r}"
                lost = arrivals.route, file.log.key
                known = (arrivals.route, file) in self.knowable and file.log.current.content
                if known and lost not in self.agents.told.lost:
                    self.pass_time(ABSENT_SECS + 5)  # a log that went altogether
                assert not known or lost in self.agents.told.lost, f"not reported: {text}"
            arrivals.check_beginnings()
        for route, key in self.agents.told.lost:
            at_risk = any(file.at_risk for file in self.ids.logs[key].files)
            assert at_risk, f"{route}: a loss of {key} was reported, but nothing was lost"

    def check_agent(self) -> None:
        pipeline, disk = self.agents.pipeline, self.agents.disk
        assert pipeline is not None
        assert disk is not None
        for route in pipeline.routes:
            assert route.waiting_bytes() == 0, f"{route.name} waits for bytes"
            assert route.budget.held == 0, f"{route.name} holds bytes"
        if disk.deleted():  # settled ones may stay open until something is settled
            self.write_more()
            self.pass_time(5.0)
        assert disk.deleted() == 0, "deleted files are still open"

    def teardown(self) -> None:
        try:
            if hasattr(self, "agents"):
                self.become_quiet()
                self.stop()
        finally:
            if self.up:
                self.do(self.agents.crash(torn=False))
            self.loop.close()
            self.temporary.cleanup()


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
