"""The running agent: builds what the configuration names, runs it, and stops it cleanly.

Stopping: sources and reading end at once, what has been read is delivered until
`drain_timeout_secs`, positions are saved, and what was not settled is read again by the next agent.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Literal

from logship.api import Context, Sink, Source, Transform
from logship.build import Builder, at
from logship.catalog import Origins
from logship.checkpoint import Checkpoint
from logship.config import Config, RouteConfig
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.senders import Senders
from logship.entry import Entry
from logship.outcome import ConfigError
from logship.routes.route import BLOCK_BYTES, Route
from logship.routes.rules import rule_of
from logship.rows import kernel
from logship.source_catalog import SourceCatalog
from logship.tail.held import Held
from logship.tail.start import cutoff_ns
from logship.trouble import Trouble
from logship.units import StartFrom
from logship.world import World

_Task = asyncio.Future[None] | asyncio.Future[bool] | asyncio.Future[Literal[True]]
SAVE_SECS = 1.0
SOURCE_RESTART_SECS = 5.0
LOCK_SECS = 0.5
DEFAULT_START_FROM = 600.0


class Pipeline:
    def __init__(self, config: Config, world: World, logger: logging.Logger) -> None:
        """Build every component; nothing starts yet. Raises Misconfigured."""
        self.config, self.world, self._log = config, world, logger
        self.started_ns = world.clock.wall_ns()
        self.checkpoint = Checkpoint(config.state_dir, world, logger)
        self.source_trouble = {name: Trouble() for name in config.sources}
        self.sink_trouble = {name: Trouble() for name in config.sinks}
        self._logs = {n: t.logger(logger, n) for n, t in self.source_trouble.items()}
        sink_logs = {n: t.logger(logger, n) for n, t in self.sink_trouble.items()}
        builder = Builder()
        sources = {
            name: builder.build(
                f"sources.{name}", c.component, c.options, self._context(name, self._logs[name])
            )
            for name, c in config.sources.items()
        }
        sinks = {
            name: builder.build(
                f"sinks.{name}", c.component, c.options, self._context(name, sink_logs[name])
            )
            for name, c in config.sinks.items()
        }
        transforms = [self._transforms(number, builder) for number in range(len(config.routes))]
        builder.check()
        self.sources = {name: source for name, source in sources.items() if source}
        self.sinks = {name: sink for name, sink in sinks.items() if sink}
        letters = config.dead_letters
        dead_letters = DeadLetters(
            config.dead_letters_dir, letters.max_bytes, letters.max_age_secs, world
        )
        self._senders = Senders(config, self.sinks, dead_letters, world.clock, BLOCK_BYTES)
        self.routes = list(map(self._route, config.routes, transforms))
        rules = list(map(rule_of, config.routes))
        self.origins = Origins(
            list(zip(rules, self.routes, strict=True)), self.checkpoint, self._starting, world,
            logger,
        )  # fmt: skip
        self.held = Held(config.held, world.disk)
        self._to_bind: asyncio.Queue[Entry] = asyncio.Queue()

    def _context(self, name: str, log: logging.Logger) -> Context:
        config = self.config
        return Context(name, self.world, log, config.cluster, config.node, config.state_dir)

    def _transforms(self, number: int, builder: Builder) -> list[tuple[str, Transform]]:
        route = self.config.routes[number]
        found = []
        for place, c in enumerate(route.transforms):
            path = f"routes[{number}].transforms[{place}]"
            context = self._context(route.name, self._log.getChild(route.name))
            built = builder.build(path, c.component, c.options, context)
            if built is not None:
                found.append((c.type_name, built))
        return found

    def _route(self, config: RouteConfig, transforms: Sequence[tuple[str, Transform]]) -> Route:
        counters = RouteCounters()
        log = self._log.getChild(config.name)
        said = self.sink_trouble[config.to].logger(self._log, config.name)
        budget, sender = self._senders.make(config.name, config.to, counters, said)
        sink = self.sinks[config.to]
        route = Route(
            config.name, sender, transforms, budget, counters, self.world.clock, log,
            block_bytes=min(BLOCK_BYTES, sink.request_bytes),
            rows_wanted=bool(transforms) or not sink.ships_blocks,
        )  # fmt: skip
        if config.shed is not None:
            from logship.routes.shedding import Shedding  # few routes do

            own = getattr(self.config.sinks[config.to].options, "severity_keys", ())
            route.shedding = Shedding(route, config.to, config.shed, own)
        return route

    def _starting(self, route: str, source: str) -> int:
        config = next(found for found in self.config.routes if found.name == route)
        start = config.start_from
        if start is None:
            options = self.config.sources[source].options
            found: StartFrom = getattr(options, "start_from", DEFAULT_START_FROM)
            start = found
        return cutoff_ns(start, self.started_ns)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. Raises ConfigError, OSError when it cannot start."""
        if not await self._prepare(stop):
            return
        reading = [self._source(name, source) for name, source in self.sources.items()]
        reading += [self._bind(), self.origins.pulse.run()]
        reading += [route.pull() for route in self.routes]
        sending = [route.sender.run() for route in self.routes] + [self._keep()]
        try:
            await self._until(stop, reading, sending)
        finally:
            await self.checkpoint_now(last=True)
            for sink in self.sinks.values():
                await sink.close()
            self.origins.close()

    async def _prepare(self, stop: asyncio.Event) -> bool:
        """Take the state directory and open the sinks; False: told to stop before."""
        preparing = asyncio.ensure_future(self._start())
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait([preparing, stopped], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if preparing.done():
            preparing.result()
            return True
        await _cancel([preparing])
        return False

    async def _start(self) -> None:
        await self._lock()
        self.origins.descriptors.check(self.config.held.max_files, 0)
        self.checkpoint.load()
        self.origins.begin()
        for name, sink in self.sinks.items():
            await _start(name, sink)
        routes = ", ".join(f"{route.name} -> {route.to}" for route in self.config.routes)
        self._log.info(
            "started: %s; positions in %s; row kernel: %s",
            routes, self.config.state_dir, kernel.in_use(),
        )  # fmt: skip

    async def _until(
        self,
        stop: asyncio.Event,
        reading: Sequence[Coroutine[None, None, None]],
        sending: Sequence[Coroutine[None, None, None]],
    ) -> None:
        loop = asyncio.get_running_loop()
        readers = [loop.create_task(work) for work in reading]
        senders = [loop.create_task(work) for work in sending]
        stopped = loop.create_task(stop.wait())
        done, _ = await asyncio.wait(
            [stopped, *readers, *senders], return_when=asyncio.FIRST_COMPLETED
        )
        await _cancel([*readers, stopped])
        self._log.info("stopping: delivering what has been read")
        timeout = self.config.drain_timeout_secs
        await asyncio.gather(*(route.drain(timeout) for route in self.routes))
        held = sum(1 for route in self.routes if not route.budget.empty)
        if held:
            self._log.warning(
                "not everything was delivered in %.0f s: %d routes begin again where they stood",
                timeout, held,
            )  # fmt: skip
        await _cancel(senders)
        for route in self.routes:
            route.balance()
        for task in done - {stopped}:
            task.result()  # raises what ended it: nothing here ends by itself

    async def _lock(self) -> None:
        path, said = f"{self.config.state_dir}/lock", False
        while True:
            try:
                self.world.disk.make_dir(self.config.state_dir)
                self.world.disk.lock(path)
                return
            except BlockingIOError:
                if not said:
                    self._log.warning("another agent holds %s: waiting for it to end", path)
                said = True
                await self.world.clock.sleep(LOCK_SECS)
            except OSError as error:
                raise OSError(
                    f"state_dir: {self.config.state_dir} cannot be used "
                    f"({error.strerror or error}): let the agent's user write to it, or choose "
                    "another directory"
                ) from error

    async def _source(self, name: str, source: Source) -> None:
        log = self._logs[name]
        catalog = SourceCatalog(name, self.origins, self._to_bind.put_nowait, self.world, log)
        while True:
            try:
                await source.run(catalog)
                log.error("source %s ended; it starts again", name)
            except ConfigError as error:
                log.error("source %s: %s", name, error)
            except Exception as error:
                log.error("a bug in source %s; it starts again", name, exc_info=error)
            await self.world.clock.sleep(SOURCE_RESTART_SECS)

    async def _bind(self) -> None:
        while True:
            entry = await self._to_bind.get()
            try:
                await self.origins.bind(entry)
            except OSError as error:
                self._log.warning("cannot read %s: %s", entry.origin.key, error)
            except Exception as error:  # hostile bytes: other origins go on
                self._log.error("a bug in binding %s", entry.origin.key, exc_info=error)

    async def _keep(self) -> None:
        """Save positions; let go of what has ended; look again at what is undecided."""
        while True:
            await self.world.clock.sleep(SAVE_SECS)
            await self.checkpoint_now()
            origins = self.origins
            origins.sweep()
            self.held.look(origins.followers())
            origins.tell_absent()
            origins.loss_log.flush()
            origins.descriptors.check(self.config.held.max_files, len(origins.entries))
            for route in self.routes:
                route.measure(self.world)
            for entry in self.origins.undecided():
                self._to_bind.put_nowait(entry)

    async def checkpoint_now(self, *, last: bool = False) -> None:
        self.checkpoint.update(*self.origins.standing(everything=last), last=last)
        await self.checkpoint.save()


async def _start(name: str, sink: Sink) -> None:
    try:
        await sink.start()
    except ConfigError as error:
        raise at(f"sinks.{name}", error) from error


async def _cancel(tasks: Sequence[_Task]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, Exception):
            await task
