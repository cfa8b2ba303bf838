"""Agents and an API server over real connections: what the fleet's tests hold on virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from logship_tail.api_server import Account, ApiServer
from logship_tail.kept import Keep
from logship_tail.pods import Pods
from logship_tail.pods_api import PodsFromApi
from logship_tail.reflecting import Timing

from logship.api import Context
from logship.testing import context
from logship.world import Clock
from tests.plugins.logship_tail.cluster import Cluster
from tests.plugins.logship_tail.cluster_http import Front, fronting

AGENTS = 200
QUICK = Timing(start_secs=0.5, pause_secs=0.02, max_pause_secs=0.1)
SECS = 30.0


class Fleet:
    def __init__(self, front: Front, pods: dict[str, Pods]) -> None:
        self.front, self.cluster, self._pods = front, front.cluster, pods

    def know(self, app: str) -> int:
        return sum(
            pods.labels({"namespace": "shop", "pod": f"web-{node}", "uid": f"uid-web-{node}"}).get(
                "label:app"
            )
            == app
            for node, pods in self._pods.items()
        )

    def put(self, app: str) -> None:
        for node in self._pods:
            self.cluster.put(node, f"web-{node}", app)

    def count(self, kind: str) -> int:
        return sum(one.kind == kind for one in self.cluster.asked)


@asynccontextmanager
async def fleet(directory: Path, agents: int) -> AsyncIterator[Fleet]:
    cluster, here = Cluster(Clock()), context("containers")
    async with fronting(cluster, directory) as front:
        account = Account(front.url, str(directory / "token"), str(directory / "ca.crt"))
        found, tasks = Fleet(front, {}), []
        for number in range(agents):
            node = f"n{number}"
            found._pods[node] = Pods(here.world.clock, Keep(), lambda: None)
        found.put("one")
        cluster.oldest, cluster.events = cluster.version, []
        for node, pods in found._pods.items():
            of_node = Context("containers", here.world, here.log, node=node)
            api = PodsFromApi(ApiServer(account, of_node), of_node, timing=QUICK)
            tasks.append(asyncio.create_task(api.run(pods)))
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            here.world.offload.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECS):
        while not holds():
            await asyncio.sleep(0.02)


def test_200_agents_list_and_watch_once_each_and_ask_etcd_for_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fleet(tmp_path, AGENTS) as agents:
            await until(lambda: agents.know("one") == AGENTS == agents.count("watch"))
            agents.put("two")
            await until(lambda: agents.know("two") == AGENTS)
            assert (agents.count("list"), agents.count("watch")) == (AGENTS, AGENTS)
            assert agents.front.etcd_reads == 0

    asyncio.run(scenario())


def test_a_restart_of_the_server_and_a_rotated_token_are_lived_through(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with fleet(tmp_path, 5) as agents:
            cluster, front = agents.cluster, agents.front
            await until(lambda: agents.know("one") == 5 == agents.count("watch"))
            cluster.end_watches()  # its time limit: goes on without a list
            await until(lambda: agents.count("watch") == 10)
            assert agents.count("list") == 5
            cluster.restart()  # 410: everything is listed again
            agents.put("two")
            await until(lambda: agents.know("two") == 5)
            assert agents.count("list") == 10
            cluster.token = "second"
            cluster.end_watches()
            await until(lambda: front.refused_tokens >= 10)
            agents.put("three")
            (tmp_path / "token").write_text("second")
            await until(lambda: agents.know("three") == 5)
            assert agents.count("list") == 10
            assert front.etcd_reads == 0

    asyncio.run(scenario())
