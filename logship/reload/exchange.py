"""Gives a running agent another configuration, without touching what stays the same.

1. Everything is built, and new sinks are started: what fails here changes nothing.
2. Bindings that will end read nothing new and deliver what they have read, for `DRAIN_SECS` at
   most; what is still out then is read again by those that go on.
3. In one turn of the loop: routes, rules, memory, bounds. Origins are matched again; those of which
   something changed are bound anew, from their positions, as at a start.
4. What is new runs, what is gone ends: sources, routes, sinks.
"""

import asyncio
from contextlib import suppress

from logship.api import LogFile, Sink
from logship.assembly import Assembly
from logship.build import Misconfigured
from logship.config import Config
from logship.entry import Entry
from logship.outcome import ConfigError
from logship.pipeline import Pipeline
from logship.reload.changes import refusals
from logship.running import unless
from logship.sink_life import close_sinks, start_sinks

START_SECS = 30.0
"""How long a new sink may take to start."""
DRAIN_SECS = 5.0


class Stopping(Exception):
    """The agent stops: nothing was changed."""


async def exchange(agent: Pipeline, config: Config) -> None:
    """Put this configuration in force. Raises Misconfigured or Stopping: nothing has changed."""
    async with agent.changing:
        if agent.running.ended.is_set() or not agent.reading.is_set():
            raise Stopping
        before = agent.assembly
        if problems := refusals(before.config, config):
            raise Misconfigured(problems)
        after = agent.assembler.assemble(config, before)
        await _start_sinks(agent, before, after)
        if not await unless(agent.running.ended, _run_dry(agent, before, after)):
            raise Stopping
        await _end_routes(agent, before, after)
        _swap(agent, before, after)
        _begin_routes(agent, before, after)
        await _exchange_sources(agent, before, after)
        await _close_sinks(agent, after)


async def _start_sinks(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    fresh = {n: b.sink for n, b in after.sinks.items() if before.sinks.get(n) is not b}
    started: list[Sink] = []
    try:
        async with asyncio.timeout(START_SECS):
            done = await unless(agent.running.ended, start_sinks(fresh, started))
    except Exception as error:
        await close_sinks(started, agent.log)
        name = next((name for name, sink in fresh.items() if sink not in started), "")
        raise Misconfigured([_why(name, error)]) from error
    if not done:
        await close_sinks(started, agent.log)
        raise Stopping
    agent.open_sinks += started


def _why(sink: str, error: Exception) -> ConfigError:
    if isinstance(error, ConfigError):
        return error
    if isinstance(error, TimeoutError):
        return ConfigError(f"sinks.{sink}", f"it did not start in {START_SECS:.0f} s")
    return ConfigError(f"sinks.{sink}", f"it cannot start: {type(error).__name__}: {error}")


async def _run_dry(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    ending = {id(binding): binding for binding in agent.origins.ending(after.routing)}
    for entry in _lost_entries(agent, before, after):
        ending |= {id(binding): binding for binding in entry.bindings.values()}
    with suppress(TimeoutError):
        async with asyncio.timeout(min(DRAIN_SECS, agent.config.drain_timeout_secs)):
            await asyncio.gather(*(binding.run_dry() for binding in ending.values()))


def _lost_entries(agent: Pipeline, before: Assembly, after: Assembly) -> list[Entry]:
    """Origins that go with their source. Files of a changed source stay, as long as it names them;
    feeds of a broker belong to the very source that made them.
    """
    return [
        entry
        for entry in agent.origins.entries.values()
        if entry.source not in after.sources
        or (
            not isinstance(entry.log, LogFile)
            and after.sources[entry.source] is not before.sources.get(entry.source)
        )
    ]


async def _end_routes(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    """Those that go, or are built anew. What they still have out is given back."""
    for name, built in before.routes.items():
        if name in after.routes and after.routes[name].route is built.route:
            continue
        await agent.running.end("reads", "sends", of=built.route)
        await built.route.give_up()
        built.route.balance()


def _swap(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    """Nothing else runs meanwhile."""
    config, letters = after.config, after.config.dead_letters
    lost = _lost_entries(agent, before, after)
    agent.assembly = after
    after.senders.divide_memory()
    agent.held.bounds = config.held
    agent.dead_letters.bound(config.dead_letters_dir, letters.max_bytes, letters.max_age_secs)
    if config.log_level != before.config.log_level:
        agent.log.setLevel(config.log_level.upper())
    for entry in lost:
        if isinstance(entry.log, LogFile):
            entry.orphan = True
        else:
            agent.origins.leave(entry)
    agent.origins.reroute(after.routing)
    for entry in agent.origins.undecided():
        agent.to_bind.put(entry)


def _begin_routes(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    for name, built in after.routes.items():
        if name not in before.routes or before.routes[name].route is not built.route:
            agent.pull(built)


async def _exchange_sources(agent: Pipeline, before: Assembly, after: Assembly) -> None:
    for name, old in before.sources.items():
        if after.sources.get(name) is not old:
            await agent.running.end("finds", of=old)
    for name, new in after.sources.items():
        if before.sources.get(name) is not new:
            agent.find(new)
    agent.origins.leave_orphans(after.sources)


async def _close_sinks(agent: Pipeline, after: Assembly) -> None:
    used = {id(built.sink) for built in after.sinks.values()}
    gone = [sink for sink in agent.open_sinks if id(sink) not in used]
    agent.open_sinks = [sink for sink in agent.open_sinks if id(sink) in used]
    await unless(agent.running.ended, close_sinks(gone, agent.log))
