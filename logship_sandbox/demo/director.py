"""The demo from its first to its last minute.

1. sandbox, agent, loader; the node writes   2. a pod is deleted   3. SIGKILL for the agent, and
another one   4. everything has arrived, both stop   5. SQL and the account.

Nothing is taken on trust: an act begins when the facts are there (the agent follows all logs, has
let go of the deleted pod), never after a while. Every wait is bounded.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import aiohttp

from logship_sandbox.demo import delivered, results, verdict
from logship_sandbox.demo.account import (
    BIGQUERY,
    CLOUD_LOGGING,
    Account,
    Row,
    account,
    written_rows,
)
from logship_sandbox.demo.configs import write_metadata
from logship_sandbox.demo.node import Node
from logship_sandbox.demo.pods import WORKLOADS, Fate, metadata
from logship_sandbox.demo.processes import Child
from logship_sandbox.demo.progress import Sample, Worker
from logship_sandbox.demo.screen import Screen, size
from logship_sandbox.demo.stage import Stage
from logship_sandbox.demo.timeline import Timeline
from logship_sandbox.logging_time import format_time

SAMPLE_SECS = 0.25
SETTLE_SECS = 60.0
"""How long rows may be on their way after the last one was written."""
DOWN_SECS = 1.0
"""How long no agent runs after the kill."""


class Director:
    def __init__(self, stage: Stage, node: Node, screen: Screen, timeline: Timeline) -> None:
        self._stage = stage
        self._node = node
        self._screen = screen
        self._timeline = timeline
        self._session = stage.session
        self._written: Mapping[str, Sequence[Row]] = {}
        self._loaded = 0
        self._peaks: dict[str, int] = {}
        self.troubles: list[str] = []

    async def play(self) -> None:
        """Until everything has arrived, and agent and loader have stopped."""
        stage, screen = self._stage, self._screen
        await stage.start_sandbox()
        screen.event("sandbox ready: Cloud Logging, Pub/Sub and BigQuery on loopback")
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.TaskGroup() as acts:
                acts.create_task(self._node.run())
                acts.create_task(self._crash())
            await self._settled()
        finally:
            watching.cancel()
        for child in (stage.agent, stage.loader):
            await self._stop(child)
        memory = (f"{name} {size(peak)}" for name, peak in self._peaks.items())
        screen.event(f"agent and loader have stopped; peak memory: {', '.join(memory)}")

    async def _crash(self) -> None:
        """The agent starts, dies in the middle, and starts again."""
        stage, node, screen = self._stage, self._node, self._screen
        agent = stage.agent
        await asyncio.gather(stage.started(agent, node.origins), stage.started(stage.loader, 1))
        screen.event(f"agent runs (pid {agent.pid}), loader runs (pid {stage.loader.pid})")
        node.agent_is_up.set()
        await node.unlinked(Fate.DELETED_EARLY)
        screen.event("a pod is deleted: the kubelet has unlinked its log")
        await self._let_go(Fate.DELETED_EARLY)
        await node.reached(self._timeline.kill)
        pid = agent.pid
        await agent.kill()
        screen.event(f"agent killed with SIGKILL (pid {pid}); the containers go on", "bold red")
        await asyncio.sleep(DOWN_SECS)
        await stage.started(agent, node.origins)
        screen.event(f"agent runs again (pid {agent.pid})", "bold green")
        node.agent_is_back.set()
        await node.unlinked(Fate.DELETED_LATE)

    async def _let_go(self, fate: Fate) -> None:
        """Until the last line of the deleted pods has arrived: nobody could read it again."""
        for log in self._node.logs_of(fate):
            of_pod = f'resource.labels.pod_name="{log.pod.name}"'
            for _ in range(round(SETTLE_SECS / SAMPLE_SECS)):
                rows = await delivered.logging_rows(
                    self._session, self._stage.logging_endpoint, of_pod
                )
                if len(rows) >= len(log.records):
                    break
                await asyncio.sleep(SAMPLE_SECS)

    async def _settled(self) -> None:
        node, tally = self._node, self._node.tally
        self._screen.event(
            f"all written: {sum(tally.rows.values()):,} rows, {size(node.written_bytes)}, "
            f"{tally.rotations} rotations, {tally.restarts} restarts, {tally.deleted} pods deleted"
        )
        self._written = await asyncio.to_thread(written_rows, node.logs)
        latest = self._screen.secs + SETTLE_SECS
        while self._screen.secs < latest:
            if await self._all_arrived():
                self._screen.event("everything has arrived")
                return
            await asyncio.sleep(SAMPLE_SECS)
        self.troubles.append(f"not everything arrived within {SETTLE_SECS:g} s")

    async def _all_arrived(self) -> bool:
        """Whether nothing is on its way: by what the processes say, then by what is there.

        An agent looks at quiet files once a second, so it may not know yet that it is behind; the
        last rows of the logs tell. Counters would not do: they count copies too.
        """
        workers = (await self._look()).workers
        if not all(worker.status is not None and worker.status.idle for worker in workers):
            return False
        client, written = self._stage.bigquery_client(), self._written
        loaded = await asyncio.to_thread(delivered.bigquery_distinct, client)
        if loaded < len(written[BIGQUERY]):
            return False
        since = self._node.last_lines_ns()
        filter = f'timestamp>="{format_time(since)}"'
        there = await delivered.logging_rows(self._session, self._stage.logging_endpoint, filter)
        return {row for row in written[CLOUD_LOGGING] if row.time_ns >= since} <= set(there)

    async def _watch(self) -> None:
        while True:
            self._screen.show(await self._look())
            await asyncio.sleep(SAMPLE_SECS)

    async def _look(self) -> Sample:
        stage, written = self._stage, dict(self._node.tally.rows)
        stats = await delivered.sandbox_stats(self._session, stage.logging_endpoint)
        workers = [
            Worker(child.name, child.pid, child.rss_bytes(), await stage.status(child))
            for child in (stage.agent, stage.loader)
        ]
        for worker in workers:
            peak = max(worker.rss_bytes or 0, self._peaks.get(worker.name, 0))
            self._peaks[worker.name] = peak
        if (loader := workers[1].status) is not None:
            self._loaded = loader.delivered_rows
        arrived = {CLOUD_LOGGING: stats["logging"]["entries"], BIGQUERY: self._loaded}
        return Sample(self._screen.secs, written, arrived, tuple(workers))

    async def _stop(self, child: Child) -> None:
        status = await self._stage.status(child)
        code = await child.stop()
        if code != 0:
            self.troubles.append(f"the {child.name} ended with code {code}:\n{child.last_words()}")
        if status is not None and (status.bugs or status.lost_events or status.dead_rows):
            self.troubles.append(f"the {child.name} says: {status}")

    async def account(self) -> list[Account]:
        """Ask the destinations what they have."""
        stage = self._stage
        client = stage.bigquery_client()
        written = self._written
        logging = await delivered.logging_delivery(self._session, stage.logging_endpoint)
        tables = await asyncio.to_thread(delivered.bigquery_delivery, client)
        return [
            account(CLOUD_LOGGING, written[CLOUD_LOGGING], logging),
            account(BIGQUERY, written[BIGQUERY], tables),
        ]

    async def report(self) -> int:
        """Print answers and account; the exit code."""
        console = self._screen.console
        client = self._stage.bigquery_client()
        for question in results.QUESTIONS:
            console.print(f"\n{question.title}", style="bold")
            console.print(await asyncio.to_thread(results.answer, client, question))
        accounts = await self.account()
        console.print("\nThe account", style="bold")
        console.print(verdict.table(accounts))
        return verdict.conclude(console, accounts, self.troubles)


class Options(Protocol):
    """What the demo can be told."""

    seconds: float
    rate: float
    seed: int


async def perform(
    directory: Path,
    screen: Screen,
    options: Options,
    keep: Callable[[Stage], Awaitable[None]] | None = None,
) -> int:
    """The whole demo in a directory of its own; its exit code."""
    timeline = Timeline.over(options.seconds)
    node = Node(str(directory / "pods"), options.seed, options.rate, timeline)
    write_metadata(directory / "pods.json", metadata(WORKLOADS, [log.pod for log in node.logs]))
    async with aiohttp.ClientSession() as session:
        stage = Stage(directory, session)
        try:
            director = Director(stage, node, screen, timeline)
            with screen:
                await director.play()
            code = await director.report()
            if keep is not None:
                await keep(stage)
            return code
        finally:
            await asyncio.shield(stage.close())
