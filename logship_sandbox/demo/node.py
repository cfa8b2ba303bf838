"""The demo's node: containers that print, a runtime that writes it down, a kubelet that rotates.

What is written is a function of the seed, the rate and the timeline alone; only the times in it are
the clock's. Only unlinking waits for permission: a file that is unlinked while no agent has it open
is lost with any agent, so nothing is unlinked between the agent's death and its return.
"""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from logship_sandbox.demo.account import BIGQUERY, CLOUD_LOGGING, canonical, is_event
from logship_sandbox.demo.lines import Line
from logship_sandbox.demo.pods import WORKLOADS, Fate, Workload
from logship_sandbox.demo.timeline import TICK_SECS, Timeline
from logship_sandbox.demo.writer import MAX_PART_BYTES, STDERR, PodLog

ROTATE_AT_BYTES = 256 * 1024
"""The kubelet's containerLogMaxSize is 10Mi."""
UNLINK_AFTER_SECS = 1.0
"""Between the last line and the unlink; measured with a real kubelet."""


@dataclass(slots=True)
class Container:
    """A workload as it runs."""

    workload: Workload
    log: PodLog
    dice: Random
    owed: float = 0.0
    """Rows it should have written by now and has not."""
    ended: bool = False
    deleted: bool = False
    reopening: bool = False
    """The kubelet has renamed the file; the runtime still writes to it."""


@dataclass(slots=True)
class Tally:
    """What has been written so far, for the screen."""

    rows: dict[str, int] = field(default_factory=lambda: {CLOUD_LOGGING: 0, BIGQUERY: 0})
    rotations: int = 0
    restarts: int = 0
    deleted: int = 0


class Node:
    def __init__(self, root: str, seed: int, rate: float, timeline: Timeline) -> None:
        self.tally = Tally()
        self.tick = 0
        self.agent_is_up = asyncio.Event()
        self.agent_is_back = asyncio.Event()
        self._rate = rate
        self._timeline = timeline
        self._dice = Random(seed)
        self.containers = [self._container(root, workload) for workload in WORKLOADS]
        self._shares = sum(workload.share for workload in WORKLOADS)
        self._reached: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self._unlinked: dict[Fate, asyncio.Event] = defaultdict(asyncio.Event)

    @property
    def logs(self) -> list[PodLog]:
        return [container.log for container in self.containers]

    @property
    def origins(self) -> int:
        """Logs on the disk before the agent is back: nothing but early deletions takes any away."""
        there = (c for c in self.containers if not c.deleted)
        return sum(container.log.restart_count + 1 for container in there)

    @property
    def written_bytes(self) -> int:
        """Of the applications' text."""
        return sum(len(record.content) for log in self.logs for record in log.records)

    def _container(self, root: str, workload: Workload) -> Container:
        dice = Random(self._dice.getrandbits(64))
        log = PodLog(root, workload.pod(dice), workload.container)
        return Container(workload, log, dice)

    async def reached(self, tick: int) -> None:
        """Wait until so much has been written."""
        if self.tick < tick:
            await self._reached[tick].wait()

    async def unlinked(self, fate: Fate) -> None:
        """Wait until the kubelet has removed the pods of this fate."""
        await self._unlinked[fate].wait()

    def logs_of(self, fate: Fate) -> list[PodLog]:
        return [found.log for found in self.containers if found.workload.fate is fate]

    def last_lines_ns(self) -> int:
        """A time: no log that was there when the agent came back has ended before it."""
        logs = (
            log for fate in Fate if fate is not Fate.DELETED_EARLY for log in self.logs_of(fate)
        )
        return min((log.records[-1].time_ns for log in logs if log.records), default=0)

    async def run(self) -> None:
        """Write everything; then wait for the kubelet to finish."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with asyncio.TaskGroup() as kubelet:
            for tick in range(1, self._timeline.end + 1):
                for work in (*self._write(tick), *self._ending(tick)):
                    kubelet.create_task(work)
                self.tick = tick
                if tick in self._reached:
                    self._reached[tick].set()
                # Behind its time it only gives way: everything is written, if later.
                await asyncio.sleep(max(0.0, started + tick * TICK_SECS - loop.time()))
        for container in self.containers:
            if not container.ended:
                container.log.flush()

    def _write(self, tick: int) -> Iterator[Coroutine[None, None, None]]:
        """Gives what the kubelet has to do later."""
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"
        check = tick % self._timeline.rotation_every == 0
        for container in self.containers:
            if container.ended:
                continue
            container.owed += self._rate * TICK_SECS * container.workload.share / self._shares
            self._print(container, now)
            restarts = container.workload.fate is Fate.RESTARTS
            if restarts and tick in self._timeline.restarts:
                self._restart(container)
                yield self._forget_old_restarts(container)
            elif check and container.log.size >= ROTATE_AT_BYTES:
                container.log.rename()
                container.reopening = True
                self.tally.rotations += 1

    def _print(self, container: Container, now: str) -> None:
        while container.owed >= 1:
            for line in container.workload.mix.next(container.dice, now):
                self._line(container, line)
                container.owed -= 1
        container.log.flush(split=container.dice.randrange(4096))

    def _line(self, container: Container, line: Line) -> None:
        log = container.log
        size = len(line.text)
        if container.reopening and size > 1:
            # A reopened log may cut a line: its beginning is in the old file, its end in the new.
            log.write(line.text, line.stream, cut_at=size // 2, between=log.reopen)
            container.reopening = False
        elif size * 4 > MAX_PART_BYTES:
            log.write(line.text, line.stream, between=lambda: self._interrupt(container))
        else:
            log.write(line.text, line.stream)
        self._count(line.text)

    def _interrupt(self, container: Container) -> None:
        """A line of the other stream between the parts of a long one."""
        text = f"[warn] buffer underrun, frame {container.dice.randrange(10**6)}"
        container.log.write(text, STDERR)
        self._count(text)

    def _count(self, text: str) -> None:
        place = BIGQUERY if is_event(canonical(text)[1]) else CLOUD_LOGGING
        self.tally.rows[place] += 1

    def _restart(self, container: Container) -> None:
        last = f"panic: out of memory, shard {container.dice.randrange(64)}"
        container.log.dangle(last, STDERR)
        self._count(last)
        container.log.restart()
        container.reopening = False
        self.tally.restarts += 1

    def _ending(self, tick: int) -> Iterator[Coroutine[None, None, None]]:
        """Ends the containers whose time has come; gives what the kubelet has to do later."""
        timeline = self._timeline
        ticks = {timeline.delete_early: Fate.DELETED_EARLY, timeline.delete_late: Fate.DELETED_LATE}
        fate = ticks.get(tick)
        for container in self.containers:
            if fate is not None and container.workload.fate is fate:
                last = "SIGTERM: 終了します"
                container.log.dangle(last)
                self._count(last)
                container.log.close()
                container.ended = True
        if fate is not None:
            yield self._unlink(fate)

    async def _forget_old_restarts(self, container: Container) -> None:
        await self.agent_is_back.wait()
        await asyncio.sleep(UNLINK_AFTER_SECS)
        container.log.forget_old_restarts()

    async def _unlink(self, fate: Fate) -> None:
        early = fate is Fate.DELETED_EARLY
        await (self.agent_is_up if early else self.agent_is_back).wait()
        await asyncio.sleep(UNLINK_AFTER_SECS)
        for container in self.containers:
            if container.workload.fate is fate:
                container.log.delete()
                container.deleted = True
                self.tally.deleted += 1
        self._unlinked[fate].set()
