"""Rows that a destination will never take, on disk, with the reason.

JSON lines in files of their own (mode 0600), one row a line, in segments; bounded in bytes and age.
When they are full nothing is thrown away: `write` raises `Full`, and what the rows belong to waits.
"""

import asyncio
from collections.abc import Sequence

import orjson

from logship.batch import Batch
from logship.outcome import Refused
from logship.world import World

SEGMENT_BYTES = 16 * 1024 * 1024
_SUFFIX = ".jsonl"


class Full(Exception):
    """No room for more dead letters; the message says what to do."""


class DeadLetters:
    def __init__(self, directory: str, max_bytes: int, max_age_secs: float, world: World) -> None:
        self._dir = directory
        self._max_bytes = max_bytes
        self._max_age_secs = max_age_secs
        self._world = world
        self._lock = asyncio.Lock()
        self._segment = ""

    async def write(self, sink: str, batch: Batch, refused: Sequence[Refused]) -> None:
        """Make the rows durable. Raises Full, OSError."""
        lines = b"".join(_line(sink, batch, row) for row in refused)
        async with self._lock:
            await self._world.offload.run(self._append, lines)

    def _append(self, lines: bytes) -> None:
        disk = self._world.disk
        disk.make_dir(self._dir)
        used = self._clean()
        if used + len(lines) > self._max_bytes:
            raise Full(
                f"the dead letters in {self._dir} have reached dead_letters.max_bytes"
                f" ({self._max_bytes}): look at them, then delete or replay them"
            )
        if not self._segment:
            self._segment = f"{self._dir}/{self._world.clock.wall_ns()}{_SUFFIX}"
        if disk.append(self._segment, lines, sync=True) >= SEGMENT_BYTES:
            self._segment = ""

    def _clean(self) -> int:
        """Delete what is too old; the bytes that stay."""
        disk, used = self._world.disk, 0
        oldest = self._world.clock.wall_ns() - int(self._max_age_secs * 1e9)
        for entry in disk.scan(self._dir):
            path = f"{self._dir}/{entry.name}"
            stat = disk.stat(path) if entry.name.endswith(_SUFFIX) else None
            if stat is None:
                continue
            if stat.mtime_ns < oldest and path != self._segment:
                disk.remove(path)
            else:
                used += stat.size
        return used


def _line(sink: str, batch: Batch, refused: Refused) -> bytes:
    rows, row = batch.rows, refused.row
    entry = {
        "id": batch.ids()[row],
        "time": rows.times[row],
        "route": batch.route,
        "sink": sink,
        "reason": refused.reason,
        "stream": rows.streams[row],
        "text": rows.texts[row],
        "labels": dict(batch.labels.values) | dict(batch.extra),
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
