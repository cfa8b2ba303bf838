"""Rows that a destination will never take, on disk, with the reason.

JSON lines in files of their own (mode 0600), one row a line, in segments; bounded in bytes and age.
When they are full nothing is thrown away: `store` raises `Full`, and what the rows belong to waits.

The directory is shared with `logship deadletters replay`, which takes lines out of segments while
an agent runs. Both hold a lock for as long as they change a segment, and keep no file open.
"""

import asyncio
from collections.abc import Sequence

from logship.batch import Batch
from logship.delivery.letter import encode
from logship.outcome import Refused
from logship.rows.address import time_text
from logship.world import World

SEGMENT_BYTES = 16 * 1024 * 1024
SUFFIX = ".jsonl"
LOCK_NAME = "lock"
_LOCK_TRIES = 100
_LOCK_SECS = 0.05


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

    def bound(self, directory: str, max_bytes: int, max_age_secs: float) -> None:
        """Where they go from now on, and how many."""
        if directory != self._dir:
            self._dir, self._segment = directory, ""
        self._max_bytes, self._max_age_secs = max_bytes, max_age_secs

    def encoded(self, sink: str, batch: Batch, refused: Sequence[Refused]) -> bytes:
        """The rows as letters, to be stored."""
        now = time_text(self._world.clock.wall_ns())
        return b"".join(encode(sink, batch, row, now) for row in refused)

    async def store(self, letters: bytes) -> None:
        """Make them durable. Raises Full, OSError."""
        async with self._lock:
            for _ in range(_LOCK_TRIES):
                try:
                    return await self._world.offload.run(self._append, letters)
                except BlockingIOError:
                    await self._world.clock.sleep(_LOCK_SECS)
            raise BlockingIOError(f"another process holds {self._dir}/{LOCK_NAME}")

    def _append(self, lines: bytes) -> None:
        disk = self._world.disk
        disk.make_dir(self._dir)
        lock = disk.lock(f"{self._dir}/{LOCK_NAME}")
        try:
            self._append_locked(lines)
        finally:
            disk.close(lock)

    def _append_locked(self, lines: bytes) -> None:
        disk, used = self._world.disk, self._clean()
        if used + len(lines) > self._max_bytes:
            raise Full(
                f"the dead letters in {self._dir} have reached dead_letters.max_bytes"
                f" ({self._max_bytes}): look at them, then replay or delete them"
            )
        if not self._segment or disk.stat(self._segment) is None:
            self._segment = f"{self._dir}/{self._world.clock.wall_ns()}{SUFFIX}"
            disk.replace(self._segment, lines)  # which also makes its name durable
            size = len(lines)
        else:
            size = disk.append(self._segment, lines, sync=True)
        if size >= SEGMENT_BYTES:
            self._segment = ""

    def _clean(self) -> int:
        """Delete what is too old; the bytes that stay."""
        disk, used = self._world.disk, 0
        oldest = self._world.clock.wall_ns() - int(self._max_age_secs * 1e9)
        for entry in disk.scan(self._dir):
            path = f"{self._dir}/{entry.name}"
            stat = disk.stat(path) if entry.name.endswith(SUFFIX) else None
            if stat is None:
                continue
            if stat.mtime_ns < oldest and path != self._segment:
                disk.remove(path)
            else:
                used += stat.size
        return used
