"""200 agents and one API server: what they ask of it, when they start, when it goes and comes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from logship_tail.kept import Keep
from logship_tail.pods import Pods
from logship_tail.pods_api import PodsFromApi

from logship.api import Context
from logship.testing import context
from logship.testing.virtual_time import VirtualClock, run_virtual, virtual_world
from tests.plugins.logship_tail.cluster import Asked, Caller, Cluster, most_in

AGENTS = 200
MINUTE = 60.0


@dataclass
class Agent:
    node: str
    pods: Pods
    caller: Caller

    def app(self) -> str:
        base = {"namespace": "shop", "pod": f"web-{self.node}", "uid": f"uid-web-{self.node}"}
        return self.pods.labels(base).get("label:app")


@dataclass
class Fleet:
    cluster: Cluster
    agents: list[Agent] = field(default_factory=list)

    def asked(self, *kinds: str) -> list[Asked]:
        return [one for one in self.cluster.asked if one.kind in kinds]

    def know(self, app: str) -> int:
        """How many agents know this of their node's pod."""
        return sum(agent.app() == app for agent in self.agents)

    def put(self, app: str) -> None:
        for agent in self.agents:
            self.cluster.put(agent.node, f"web-{agent.node}", app)


def run(work: Callable[[Fleet], Awaitable[None]]) -> None:
    """All agents start at once."""
    random.seed(42)

    async def go() -> None:
        clock = VirtualClock()
        fleet = Fleet(Cluster(clock))
        here, world = context("containers"), virtual_world()
        here.world.offload.close()
        tasks = []
        for number in range(AGENTS):
            of_node = Context("containers", world, here.log, node=f"n{number}")
            pods, caller = Pods(clock, Keep(), lambda: None), Caller(fleet.cluster)
            fleet.agents.append(Agent(of_node.node, pods, caller))
        fleet.put("one")
        fleet.cluster.oldest, fleet.cluster.events = fleet.cluster.version, []
        for agent in fleet.agents:
            of_node = Context("containers", world, here.log, node=agent.node)
            tasks.append(asyncio.create_task(PodsFromApi(agent.caller, of_node).run(agent.pods)))
        try:
            await work(fleet)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run_virtual(go())


def test_agents_that_start_at_once_ask_once_each_and_spread_out() -> None:
    async def work(fleet: Fleet) -> None:
        await asyncio.sleep(3)
        assert fleet.know("one") == AGENTS
        await asyncio.sleep(10 * MINUTE)
        lists, watches = fleet.asked("list"), fleet.asked("watch")
        assert (len(lists), len(watches)) == (AGENTS, AGENTS)
        assert {one.selector for one in lists + watches} == {
            f"spec.nodeName={agent.node}" for agent in fleet.agents
        }
        assert most_in(lists, 0.1) <= 25

    run(work)


def test_agents_that_run_for_hours_list_nothing_again() -> None:
    """The server ends each watch within the hour; bookmarks keep the versions young."""

    async def work(fleet: Fleet) -> None:
        await asyncio.sleep(MINUTE)
        for number in range(2 * 6):
            for noise in range(150):  # pods of other nodes: the cache of events moves on
                fleet.cluster.put("elsewhere", f"noise-{noise}", str(number))
            await asyncio.sleep(10 * MINUTE)
        assert len(fleet.asked("list")) == AGENTS
        assert AGENTS * 2 < len(fleet.asked("watch")) < AGENTS * 6
        fleet.put("two")
        await asyncio.sleep(10)
        assert fleet.know("two") == AGENTS

    run(work)


def test_an_api_that_is_down_for_minutes_is_asked_ever_more_rarely() -> None:
    async def work(fleet: Fleet) -> None:
        cluster = fleet.cluster
        await asyncio.sleep(10 * MINUTE)
        cluster.down = True
        cluster.end_watches()
        before = len(cluster.asked)
        began = cluster.clock.now()
        await asyncio.sleep(10 * MINUTE)
        refused = cluster.asked[before:]
        assert {one.kind for one in refused} == {"refused"}
        assert most_in(refused, 0.1) <= 30
        late = [one for one in refused if one.at >= began + 3 * MINUTE]
        assert most_in(late, 1.0) <= 25
        assert len(refused) < AGENTS * 30
        assert fleet.know("one") == AGENTS  # what was known stays known

    run(work)


@pytest.mark.parametrize("restarted", [False, True], ids=["remembers", "has forgotten"])
def test_when_it_is_back_each_agent_asks_once_and_knows_all_within_a_minute(
    restarted: bool,
) -> None:
    async def work(fleet: Fleet) -> None:
        cluster = fleet.cluster
        await asyncio.sleep(10 * MINUTE)
        cluster.down = True
        cluster.end_watches()
        await asyncio.sleep(5 * MINUTE)
        if restarted:
            cluster.restart()
        for agent in fleet.agents[:50]:
            cluster.put(agent.node, f"web-{agent.node}", "two")
        before, cluster.down = len(cluster.asked), False
        await asyncio.sleep(2 * MINUTE + 5)
        assert fleet.know("two") == 50
        since = cluster.asked[before:]
        lists = [one for one in since if one.kind == "list"]
        assert len(lists) == (AGENTS if restarted else 0)
        assert len(since) <= AGENTS * 3
        assert most_in(since, 1.0) <= 30

    run(work)


def test_a_restart_of_the_server_is_no_stampede() -> None:
    """All watches end in the same moment, and all versions are too old."""

    async def work(fleet: Fleet) -> None:
        await asyncio.sleep(10 * MINUTE)
        before = len(fleet.cluster.asked)
        fleet.cluster.restart()
        fleet.put("two")
        await asyncio.sleep(15)
        assert fleet.know("two") == AGENTS
        since = fleet.cluster.asked[before:]
        assert len(since) == 3 * AGENTS  # a watch that is too old, a list, a watch
        assert most_in(since, 0.1) <= 40

    run(work)


def test_a_server_that_hangs_is_left_after_a_while_and_asked_rarely() -> None:
    async def work(fleet: Fleet) -> None:
        cluster = fleet.cluster
        cluster.hangs = True
        await asyncio.sleep(10 * MINUTE)
        assert AGENTS * 5 < len(cluster.asked) < AGENTS * 20
        assert most_in(cluster.asked[AGENTS:], 1.0) <= 80
        cluster.hangs = False
        await asyncio.sleep(2 * MINUTE)
        assert fleet.know("one") == AGENTS

    run(work)


def test_tokens_that_rotated_are_read_again_without_a_list() -> None:
    async def work(fleet: Fleet) -> None:
        cluster = fleet.cluster
        await asyncio.sleep(MINUTE)
        cluster.token = "second"
        cluster.end_watches()
        await asyncio.sleep(MINUTE)
        for agent in fleet.agents:
            agent.caller.token = "second"
        fleet.put("two")
        await asyncio.sleep(2 * MINUTE)
        assert fleet.know("two") == AGENTS

    run(work)
