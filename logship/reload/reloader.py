"""Reads the configuration file again when it changes, or somebody asks, and puts it in force.

A file that cannot be used is refused as a whole: all that is wrong with it is said, with its place,
in the log and in `/status`, and the configuration in force stays. One at a time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from logship.build import Misconfigured
from logship.config import Config, Examined, Problem, Report, examine, problem_at
from logship.config.manifest import find, is_manifest
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.reload.changes import summary
from logship.reload.exchange import Stopping, exchange
from logship.reload.record import Result
from logship.reload.watch import ConfigWatch

MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    result: Result
    text: str


class Reloader:
    def __init__(
        self,
        agent: Pipeline,
        file: str,
        text: str,
        env: Mapping[str, str],
        registry: Callable[[], Registry] = Registry.installed,
    ) -> None:
        """`text`: what is in force."""
        self._agent, self._file, self._text = agent, file, text
        self._read = text
        """The last that was looked at, in force or refused."""
        self._env, self._registry = env, cache(registry)
        self._log: logging.Logger = agent.log
        self._lock = asyncio.Lock()
        self._asked = asyncio.Event()
        self._watch = ConfigWatch(file, agent.world, agent.log)

    def ask(self) -> None:
        """Read the file soon, changed or not."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        await self._agent.reading.wait()
        self._watch.open()
        try:
            await self.reload(quietly=True)  # it may have changed before it was watched
            async with asyncio.TaskGroup() as group:
                group.create_task(self._when_asked())
                group.create_task(self._when_changed())
        finally:
            await self._watch.close()

    async def _when_asked(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.reload()

    async def _when_changed(self) -> None:
        """A file that was asked for is seen to have changed too: then nothing is left to do."""
        while True:
            await self._watch.changed()
            await self.reload(quietly=True)

    async def reload(self, *, quietly: bool = False) -> Answer:
        """Read the file, and put it in force. `quietly`: nobody asked."""
        async with self._lock:
            try:
                return await self._reload(quietly)
            except Exception as error:  # the agent goes on, whatever it is
                self._log.critical("a bug in changing the configuration", exc_info=error)
                return self._refuse([f"{self._file}: a bug: {type(error).__name__}: {error}"])

    async def _reload(self, quietly: bool) -> Answer:
        try:
            disk = self._agent.world.disk
            text = disk.read_bytes(self._file, MAX_BYTES).decode()
        except UnicodeDecodeError as error:
            return self._refuse([f"{self._file}: not UTF-8 at byte {error.start}"])
        except (OSError, ValueError) as error:
            return self._refuse([f"{self._file}: cannot be read: {error}"])
        if is_manifest(text):  # as `run` takes it
            report = Report(self._file, text)
            if (found := find(text, report)) is None:
                return self._refuse(map(said, report.problems))
            text = found.text
        if quietly and text == self._read:
            return Answer("unchanged", "")
        self._read = text
        if text == self._text:
            return self._say("unchanged", "the configuration is the one in force")
        examined = await self._agent.world.offload.run(self._examine, text)
        if examined.config is None:
            return self._refuse(map(said, examined.problems))
        for problem in examined.problems:
            self._log.warning("%s", said(problem))
        return await self._put_in_force(text, examined.config)

    def _examine(self, text: str) -> Examined:
        """In a thread: it takes 0.3 ms a line, and routes go on meanwhile."""
        return examine(text, file=self._file, env=self._env, registry=self._registry())

    async def _put_in_force(self, text: str, config: Config) -> Answer:
        before = self._agent.config
        try:
            await exchange(self._agent, config)
        except Misconfigured as error:
            places = [
                problem_at(text, file=self._file, env=self._env, path=e.path, reason=e.reason)
                for e in error.problems
            ]
            return self._refuse(map(said, places))
        except Stopping:
            return Answer("refused", "the agent is not reading: it starts, or stops")
        self._text = text
        return self._say("applied", f"a new configuration is in force. {summary(before, config)}")

    def _say(self, result: Result, text: str) -> Answer:
        self._agent.reloads.note(result, self._agent.world.clock.wall_ns())
        self._log.info("%s", text)
        return Answer(result, text)

    def _refuse(self, problems: Iterable[str]) -> Answer:
        found = list(problems)
        self._agent.reloads.note("refused", self._agent.world.clock.wall_ns(), found)
        self._log.error(
            "the changed configuration is refused, the one before stays in force: %s",
            " | ".join(found),
        )
        return Answer("refused", "\n".join(found))


def said(problem: Problem) -> str:
    """In one line, without the line of the file: that may hold what is not for everybody."""
    place = f"{problem.file}:{problem.mark.line}:{problem.mark.column}"
    path = f"{problem.path}: " if problem.path else ""
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{place}: {path}{problem.message}{hint}"
