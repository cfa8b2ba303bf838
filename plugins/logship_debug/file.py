"""`file`: JSON lines in a file, rotated by size.

Every write is appended in one call and cut off again if it did not fit, so that a full disk leaves
no torn line; then the write is asked again. A line that a crash tore is closed at the next start.
Files are private (0600). Rotation renames `name` to `name.1`, `name.1` to `name.2` and so on, and
forgets the oldest: rows are kept only as long as `max_files` holds them.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from logship.api import (
    DELIVERED,
    Batch,
    ConfigError,
    Context,
    Disk,
    Finding,
    Outcome,
    Preview,
    Retry,
    Sink,
)
from logship_debug.in_order import InOrder
from logship_debug.lines import encode, previews


class FileConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `file`."""

    dir: Annotated[
        str,
        Meta(
            min_length=1,
            description="Directory of the files; made if it is missing.",
            examples=["/var/lib/logship/out"],
        ),
    ]
    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}$",
            description="Name of the file that is written now; older ones end in `.1`, `.2`...",
        ),
    ] = "logship.jsonl"
    max_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="A file is rotated before it would grow beyond this. A single write that "
            "is larger has a file of its own.",
        ),
    ] = 100 * 1024 * 1024
    max_files: Annotated[
        int,
        Meta(ge=1, le=1000, description="Files kept, with the one that is written; older rows go."),
    ] = 10
    fsync: Annotated[
        bool,
        Meta(description="Whether rows are on the disk itself before they count as delivered."),
    ] = False


class File(Sink):
    """Appends rows to a file as JSON lines, rotated by size."""

    config = FileConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, FileConfig)
        self._config = config
        self._disk = context.world.disk
        self._path = f"{config.dir.rstrip('/')}/{config.name}"
        self._calls = InOrder(context.world.offload)

    async def start(self) -> None:
        try:
            await self._calls.run(self._prepare)
        except OSError as error:
            reason = f"{self._path} cannot be written to ({error}): choose another directory"
            raise ConfigError(f"sinks.{self.context.name}.dir", reason) from error

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        content = encode(batches, "json")
        if not content:
            return DELIVERED
        try:
            await self._calls.run(self._append, content)
        except OSError as error:
            raise Retry(f"{self._path} cannot be written to: {error}") from error
        return DELIVERED

    async def close(self) -> None:
        await self._calls.close()

    def check(self) -> Sequence[Finding]:
        directory, at = self._config.dir, self._config.dir
        while self._disk.stat(at) is None and at not in ("", "/", "."):
            at = at.rstrip("/").rpartition("/")[0] or ("/" if at.startswith("/") else ".")
        if self._disk.writable(at):
            return [Finding(f"`dir` {directory}", "ok", "it can be written to")]
        advice = "let the agent's user write to it, or choose another directory"
        return [Finding(f"`dir` {directory}", "failed", f"{at} cannot be written to", advice)]

    def preview(self, batch: Batch) -> Sequence[Preview]:
        return previews(batch, "json")

    def _prepare(self) -> None:
        self._disk.make_dir(self._config.dir)
        torn = _ends_torn(self._disk, self._path)
        self._disk.append(self._path, b"\n" if torn else b"", sync=False)

    def _append(self, content: bytes) -> None:
        found = self._disk.stat(self._path)
        if found is not None and found.size and found.size + len(content) > self._config.max_bytes:
            _rotate(self._disk, self._path, self._config.max_files)
        self._disk.append(self._path, content, sync=self._config.fsync)


def _ends_torn(disk: Disk, path: str) -> bool:
    """Whether the last line has no newline."""
    found = disk.stat(path)
    if found is None or not found.size:
        return False
    fd = disk.open(path)
    try:
        return disk.pread(fd, 1, found.size - 1) != b"\n"
    finally:
        disk.close(fd)


def _rotate(disk: Disk, path: str, max_files: int) -> None:
    """Make room for a new file at `path`; renaming replaces the oldest."""
    if max_files == 1:
        disk.remove(path)
        return
    for number in range(max_files - 1, 1, -1):
        if disk.stat(f"{path}.{number - 1}") is not None:
            disk.rename(f"{path}.{number - 1}", f"{path}.{number}")
    disk.rename(path, f"{path}.1")
