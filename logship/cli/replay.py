"""`logship deadletters replay`: dead letters through their real sinks again.

A chunk at a time is written, and what the sink has made durable is taken out of the files before
the next one: killed at any moment, it leaves every row in the files or at the destination, and at
worst in both, where the copy has the same id. A sink that does not take a chunk for a while is
given up; its letters stay.
"""

import asyncio
import logging
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from logship.api import Sink
from logship.build import Builder, Misconfigured, at
from logship.cli.configuration import Written
from logship.cli.deadletters import Filter, chosen, counted, tell_damaged
from logship.cli.table import shown
from logship.delivery.backoff import delay_secs
from logship.delivery.letter import Letter, bundles
from logship.delivery.letter_files import LetterFiles, Stored
from logship.outcome import ConfigError, Retry
from logship.world import World

CHUNK_ROWS, CHUNK_BYTES = 500, 1 << 20
TRIES = 6
"""Writes of a chunk that fail before the sink is given up."""
_LOCK_NAME = "replay.lock"
_BUSY_TRIES, _BUSY_SECS = 200, 0.05
_MAX_REASONS = 10


def replay(written: Written, files: LetterFiles, wanted: Filter, yes: bool, world: World) -> int:
    """The exit code: 0 when all that was chosen is delivered (or would be sent)."""
    groups = Counter((letter.sink, letter.route) for letter, _ in chosen(files, wanted))
    tell_damaged(files)
    if not groups:
        print(f"No dead letters to send in {shown(files.directory)}")
        return 1 if wanted.ids else 0
    unknown = {sink for sink, _ in groups} - set(written.config.sinks)
    for sink in sorted(unknown):
        print(f"{written.file} has no sink {shown(sink)}: its letters stay", file=sys.stderr)
    if not yes:
        print(f"Would send {groups.total()} dead letters; add --yes to do it.\n{counted(groups)}")
        return 1 if unknown else 0
    try:
        lock = files.disk.lock(f"{files.directory}/{_LOCK_NAME}")
    except BlockingIOError:
        print("another replay is running on these files: wait for it to end", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_Run(written, files, wanted, world).run())
    except Misconfigured as error:
        written.explain(*error.problems)
        return 2
    except ConfigError as error:
        written.explain(error)
        return 2
    finally:
        files.disk.close(lock)


@dataclass(slots=True)
class _Run:
    written: Written
    files: LetterFiles
    wanted: Filter
    world: World
    sinks: dict[str, Sink] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    delivered: int = 0
    refused: int = 0
    kept: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    async def run(self) -> int:
        try:
            for segment in self.files.segments():
                for sink, chunk in self._chunks(segment):
                    await self._send(segment, sink, chunk)
        finally:
            for started in self.sinks.values():
                await started.close()
        return self._told()

    def _chunks(self, segment: str) -> Iterator[tuple[str, list[Stored]]]:
        """Letters of one sink, few enough for one write."""
        open_chunks: dict[str, list[Stored]] = {}
        sizes: Counter[str] = Counter()
        for stored in list(self.files.read(segment)):
            sink = stored.letter.sink
            if not self.wanted.takes(stored.letter) or sink not in self.written.config.sinks:
                continue
            chunk = open_chunks.setdefault(sink, [])
            chunk.append(stored)
            sizes[sink] += len(stored.line)
            if len(chunk) >= CHUNK_ROWS or sizes[sink] >= CHUNK_BYTES:
                yield sink, open_chunks.pop(sink)
                del sizes[sink]
        yield from open_chunks.items()

    async def _send(self, segment: str, name: str, chunk: Sequence[Stored]) -> None:
        sink = await self._sink(name)
        left = [stored.letter for stored in chunk]
        refused: set[int] = set()
        failures = 0
        while left and name not in self.given_up:
            left, no_more, retry = await self._write(sink, left)
            refused |= set(map(id, no_more))
            if retry is None:
                continue
            failures += 1
            if failures >= TRIES:
                self.given_up.add(name)
                self.reasons[f"sink {name} is given up: {retry.reason}"] += len(left)
            else:
                wait = delay_secs(failures, retry.after, random.random())  # noqa: S311 - jitter
                await self.world.clock.sleep(wait)
        stay = refused | set(map(id, left))
        lines = Counter(stored.line for stored in chunk if id(stored.letter) not in stay)
        await self._remove(segment, lines)
        self.delivered += lines.total()
        self.refused += len(refused)
        self.kept += len(left)

    async def _write(
        self, sink: Sink, letters: Sequence[Letter]
    ) -> tuple[list[Letter], list[Letter], Retry | None]:
        """(letters to send again, letters refused again, why the first must wait)."""
        made = bundles(letters)
        try:
            outcome = await sink.write([bundle.batch for bundle in made])
        except Retry as retry:
            return list(letters), [], retry
        except Exception as error:  # a bug of the sink: its letters stay
            return list(letters), [], Retry(f"{type(error).__name__}: {error}")
        refused: dict[int, Letter] = {}
        for each in outcome.refused:
            letter = made[each.batch].letters[each.row]
            refused[id(letter)] = letter
            self.reasons[f"refused again: {each.reason}"] += 1
        again: dict[int, Letter] = {}
        for some in outcome.again:
            those = made[some.batch].letters
            for row in range(len(those)) if some.rows is None else some.rows:
                again[id(those[row])] = those[row]
        left = [letter for key, letter in again.items() if key not in refused]
        first = outcome.again[0] if left else None
        return left, list(refused.values()), Retry(first.reason, first.after) if first else None

    async def _remove(self, segment: str, lines: Counter[bytes]) -> None:
        for _ in range(_BUSY_TRIES if lines else 0):
            try:
                return self.files.remove(segment, lines)
            except BlockingIOError:  # the agent is writing
                await self.world.clock.sleep(_BUSY_SECS)
        if lines:
            raise BlockingIOError("the agent does not let go of it; delivered rows are still there")

    async def _sink(self, name: str) -> Sink:
        if (known := self.sinks.get(name)) is not None:
            return known
        builder = Builder(self.written.config, self.world)
        sink = builder.sink(name, logging.getLogger(f"logship.{name}"))
        builder.check()
        assert sink is not None
        try:
            await sink.start()
        except ConfigError as error:
            raise at(f"sinks.{name}", error) from error
        self.sinks[name] = sink
        return sink

    def _told(self) -> int:
        print(f"Delivered {self.delivered}; refused again {self.refused}; not sent {self.kept}.")
        for reason, count in self.reasons.most_common(_MAX_REASONS):
            print(f"  {count}: {shown(reason)}", file=sys.stderr)
        return 1 if self.refused or self.kept else 0
