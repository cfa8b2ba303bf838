"""The running agent: runs what the configuration names, and stops it cleanly.

Starting: the sinks first, so that one that cannot work ends the agent before another one makes room
for it. Then the state directory; while another agent holds it, sources run already, and every file
they find is held open. Once it is ours, the positions are loaded and reading begins.

Stopping: sources and reading end at once, what has been read is delivered until
`drain_timeout_secs`, positions are saved, the state directory is given up, and what was not settled
is read again by the next agent.
"""

import asyncio
import logging
from collections.abc import Mapping

from logship.api import Sink, Source
from logship.assembly import Assembler, Assembly, BuiltRoute, BuiltSource
from logship.bind_queue import BindQueue
from logship.catalog import Origins
from logship.checkpoint import Checkpoint
from logship.config import Config
from logship.delivery.deadletters import DeadLetters
from logship.reload.record import Record
from logship.routes.route import Route
from logship.rows import kernel
from logship.running import Running, unless
from logship.sink_life import close_sinks, start_sinks
from logship.source_catalog import SourceCatalog
from logship.source_life import run_source
from logship.state_dir import StateLock
from logship.tail.held import Held
from logship.tail.start import cutoff_ns
from logship.trouble import Trouble
from logship.units import StartFrom
from logship.world import World

SAVE_SECS, MAX_SAVE_SECS = 1.0, 5.0
SAVE_SHARE = 1 / 600
"""Positions are gathered once a second, or more rarely where that takes more than so much of the
time: hundreds of logs move all the time. What a crash sends twice has the same ids."""
DEFAULT_START_FROM = 600.0


class Pipeline:
    def __init__(self, config: Config, world: World, logger: logging.Logger) -> None:
        """Build every component; nothing starts yet. Raises Misconfigured."""
        self.world, self.log = world, logger
        self.started_ns = world.clock.wall_ns()
        self.checkpoint = Checkpoint(config.state_dir, world, logger)
        self.lock = StateLock(config.state_dir, world, logger)
        letters = config.dead_letters
        self.dead_letters = DeadLetters(
            config.dead_letters_dir, letters.max_bytes, letters.max_age_secs, world
        )
        self.assembler = Assembler(world, logger, self.dead_letters)
        self.assembly: Assembly = self.assembler.assemble(config)
        self.assembly.senders.divide_memory()
        self.origins = Origins(
            self.assembly.routing, self.checkpoint, self._starting, world, logger
        )
        self.held = Held(config.held, world.disk)
        self.to_bind = BindQueue(self.origins.bind, logger)
        self.running = Running()
        self.open_sinks: list[Sink] = []
        self.changing = asyncio.Lock()
        """Held while the configuration changes."""
        self.reading = asyncio.Event()
        """It has the state directory, and reads."""
        self.reloads = Record(self.started_ns)
        self._save_at = 0.0

    @property
    def config(self) -> Config:
        """That which is in force."""
        return self.assembly.config

    @property
    def routes(self) -> list[Route]:
        return [built.route for built in self.assembly.routes.values()]

    @property
    def sources(self) -> Mapping[str, Source]:
        return {name: built.source for name, built in self.assembly.sources.items()}

    @property
    def sinks(self) -> Mapping[str, Sink]:
        return {name: built.sink for name, built in self.assembly.sinks.items()}

    @property
    def source_trouble(self) -> Mapping[str, Trouble]:
        return {name: built.trouble for name, built in self.assembly.sources.items()}

    @property
    def sink_trouble(self) -> Mapping[str, Trouble]:
        return {name: built.trouble for name, built in self.assembly.sinks.items()}

    def _starting(self, route: str, source: str, now_ns: int | None = None) -> int:
        built = self.assembly.routes[route]
        start = built.config.start_from
        if start is None:
            options = self.config.sources[source].options
            found: StartFrom = getattr(options, "start_from", DEFAULT_START_FROM)
            start = found
        return cutoff_ns(start, built.began_ns if now_ns is None else now_ns)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises ConfigError, OSError when it cannot start."""
        running = self.running
        running.start("stops", self, _until_set(stop))
        starting = start_sinks(self.sinks, self.open_sinks)
        try:
            if await unless(running.ended, starting) and await self._own():
                self._begin()
                await running.ended.wait()
                await self._finish()
        finally:
            await running.end("finds", "reads", "sends", "keeps", "stops")
            if self.reading.is_set():
                await self.checkpoint_now(last=True)
            self.lock.release()
            await close_sinks(self.open_sinks, self.log)
            self.origins.close()
        running.check()

    async def _own(self) -> bool:
        """Take the state directory, and hold what is there until then; False: told to stop."""
        owned = self.lock.take()
        self.checkpoint.load() if owned else self.checkpoint.peek()
        self.origins.descriptors.check(self.config.held.max_files, 0)
        self.running.start("finds", "pulse", self.origins.pulse.run())
        for built in self.assembly.sources.values():
            self.find(built)
        if owned:
            return True
        self.running.start("keeps", "held", self._hold())
        if not await unless(self.running.ended, self.lock.wait()):
            return False
        await self.running.end("keeps")
        self.checkpoint.load()
        return True

    def _begin(self) -> None:
        self.origins.begin()
        for entry in self.origins.undecided():
            self.to_bind.put(entry)
        self.running.start("finds", "binding", self.to_bind.run())
        for built in self.assembly.routes.values():
            self.pull(built)
        self.running.start("keeps", "positions", self._keep())
        self.reading.set()
        routes = ", ".join(f"{route.name} -> {route.to}" for route in self.config.routes)
        self.log.info(
            "started: %s; positions in %s; row kernel: %s",
            routes, self.config.state_dir, kernel.in_use(),
        )  # fmt: skip

    def find(self, built: BuiltSource) -> None:
        """Have the source tell what origins there are."""
        catalog = SourceCatalog(built.name, self.origins, self.to_bind.put, self.world, built.log)
        self.running.start("finds", built, run_source(built, catalog, self.world.clock))

    def pull(self, built: BuiltRoute) -> None:
        self.running.start("reads", built.route, built.route.pull())
        self.running.start("sends", built.route, built.route.sender.run())

    async def _finish(self) -> None:
        """Deliver what has been read."""
        async with self.changing:
            await self.running.end("finds", "reads")
        self.log.info("stopping: delivering what has been read")
        timeout = self.config.drain_timeout_secs
        await asyncio.gather(*(route.drain(timeout) for route in self.routes))
        held = sum(1 for route in self.routes if not route.budget.empty)
        if held:
            self.log.warning(
                "not everything was delivered in %.0f s: %d routes begin again where they stood",
                timeout, held,
            )  # fmt: skip
        await self.running.end("sends")
        for route in self.routes:
            route.balance()

    async def _hold(self) -> None:
        """While another agent has the state directory."""
        while True:
            await self.world.clock.sleep(SAVE_SECS)
            self._look()

    async def _keep(self) -> None:
        """Save positions; let go of what has ended; look again at what is undecided."""
        while True:
            await self.world.clock.sleep(SAVE_SECS)
            if self.world.clock.now() >= self._save_at:
                await self.checkpoint_now()
            self.origins.sweep()
            self.origins.leave_orphans(self.sources)
            self._look()
            self.origins.tell_absent()
            self.origins.loss_log.flush()
            for route in self.routes:
                route.measure(self.world)
            for entry in self.origins.undecided():
                self.to_bind.put(entry)

    def _look(self) -> None:
        origins = self.origins
        self.held.look(origins.followers())
        origins.descriptors.check(self.config.held.max_files, len(origins.entries))

    async def checkpoint_now(self, *, last: bool = False) -> None:
        began = self.world.clock.now()
        self.checkpoint.update(*self.origins.standing(everything=last), last=last)
        now = self.world.clock.now()
        self._save_at = now + min((now - began) / SAVE_SHARE, MAX_SAVE_SECS - SAVE_SECS / 2)
        await self.checkpoint.save()


async def _until_set(event: asyncio.Event) -> None:
    await event.wait()
