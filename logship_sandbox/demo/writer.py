"""A container's log as the runtime and the kubelet write it, with exact books of what is in it.

containerd 1.6 and 1.7 (internal/cri/io/logger.go), byte for byte:

- a line is `<time> <stream> <tag> <content>\\n`; its time is RFC 3339 with 0-9 fraction digits,
  trailing zeros cut; a `\\r` before the newline is gone
- a line of more than 16,384 bytes comes as parts: `P` ... `P` `F`, each with a time of its own
- a last line without a newline comes as `P`, and no `F` ever follows
- stdout and stderr go into one file, so lines of one may come between the parts of the other
- a reader may see the file end in the middle of a line

How the kubelet rotates, restarts and removes is in `writer_files`. No two parts of a log have the
same time here, so (log, stream, time) names a record and a delivery can be checked row by row.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from logship_sandbox.demo.writer_files import MAX_FILES, LogFiles, PodName

STDOUT, STDERR = "stdout", "stderr"
MAX_PART_BYTES = 16_384


class Record(NamedTuple):
    """One record of an application, as a reader that makes no mistake would deliver it."""

    restart: int
    stream: str
    time_ns: int
    """Of its first part."""
    content: bytes
    finished: bool = True
    """False: it was the last of its stream and had no newline."""

    @property
    def text(self) -> str:
        """As a row has it: what is not UTF-8 is replaced."""
        return self.content.decode(errors="replace")


class PodLog:
    """The log of one container of one pod, over restarts and rotations.

    What is written is kept back until `flush`; `records` has it at once.
    """

    def __init__(
        self,
        root: str,
        pod: PodName,
        container: str,
        *,
        clock: Callable[[], int] = time.time_ns,
        max_files: int = MAX_FILES,
    ) -> None:
        self.pod = pod
        self.container = container
        self.records: list[Record] = []
        self._files = LogFiles(root, pod, container, max_files)
        self._clock = clock
        self._last_ns = 0
        self._lines: list[bytes] = []
        self._dangling: set[str] = set()
        self._fd = self._files.open()

    @property
    def restart_count(self) -> int:
        return self._files.restart

    @property
    def size(self) -> int:
        """Bytes of the file that is written to now."""
        return os.fstat(self._fd).st_size

    def write(
        self,
        content: str | bytes,
        stream: str = STDOUT,
        *,
        cut_at: int = MAX_PART_BYTES,
        between: Callable[[], object] | None = None,
    ) -> None:
        """One line of the application, given without its newline.

        `cut_at`: size of its first part, for a line that a reopened log cuts anywhere. `between`
        is called after that part: it may `reopen`, or write lines of the other stream.
        """
        raw = self._line(content, stream).removesuffix(b"\r")
        first, rest = raw[:cut_at], raw[cut_at:]
        began = self._part(stream, b"F" if len(first) == len(raw) else b"P", first)
        if between is not None:
            between()
        while rest:
            part, rest = rest[:MAX_PART_BYTES], rest[MAX_PART_BYTES:]
            self._part(stream, b"P" if rest else b"F", part)
        self.records.append(Record(self.restart_count, stream, began, raw))

    def dangle(self, content: str | bytes, stream: str = STDOUT) -> None:
        """The last line of a stream, without a newline: only a restart goes on after it."""
        raw = self._line(content, stream)
        if not raw:
            return
        times = [
            self._part(stream, b"P", raw[at : at + MAX_PART_BYTES])
            for at in range(0, len(raw), MAX_PART_BYTES)
        ]
        self._dangling.add(stream)
        self.records.append(Record(self.restart_count, stream, times[0], raw, False))

    def flush(self, split: int = 0) -> None:
        """To disk, in two writes: the first has `split` bytes, so a reader may see a torn line."""
        waiting, self._lines = b"".join(self._lines), []
        for part in (waiting[:split], waiting[split:]):
            while part:
                part = part[os.write(self._fd, part) :]

    def rename(self) -> None:
        """The kubelet's half of a rotation: the runtime goes on writing to the renamed file."""
        self._files.rename(self._last_ns or self._clock())

    def reopen(self) -> None:
        """The runtime's half of a rotation (ReopenContainerLog): a new file from here on."""
        self.flush()
        os.close(self._fd)
        self._fd = self._files.open()

    def rotate(self) -> None:
        """Both halves, with nothing written between them."""
        self.flush()
        self.rename()
        self.reopen()

    def restart(self) -> None:
        """The container exits and runs again, into the next number's file."""
        self.close()
        self._dangling.clear()
        self._files.restart += 1
        self._fd = self._files.open()

    def forget_old_restarts(self) -> None:
        """The kubelet's garbage collection: of dead containers it keeps the last one's log."""
        self._files.remove_old_restarts()

    def close(self) -> None:
        """The container exits; its files stay."""
        self.flush()
        os.close(self._fd)

    def delete(self) -> None:
        """The pod is deleted: its files are unlinked, about a second after `close`."""
        self._files.remove()

    def _line(self, content: str | bytes, stream: str) -> bytes:
        raw = content.encode() if isinstance(content, str) else content
        if b"\n" in raw:
            raise ValueError(f"a line has no newline in it: {raw[:60]!r}")
        if stream in self._dangling:
            raise ValueError(f"{stream} of {self.pod.name} has ended with a line without a newline")
        return raw

    def _part(self, stream: str, tag: bytes, content: bytes) -> int:
        now = max(self._clock(), self._last_ns + 1)
        self._last_ns = now
        self._lines.append(
            b"%b %b %b %b\n" % (rfc3339_nano(now).encode(), stream.encode(), tag, content)
        )
        return now


def rfc3339_nano(time_ns: int) -> str:
    """As Go writes it: `2026-01-02T03:04:05.06Z`."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{_second(seconds)}{fraction}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
