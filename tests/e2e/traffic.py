"""Logs of several containers, written at a given rate while kubelet rotates them.

The text of a row follows from its pod and number, so that whoever finds it somewhere can tell
whether it is whole. Some rows are longer than the runtime's 16 KiB and lie in parts; some rotations
fall between the parts of a row, as they do with real runtimes.
"""

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.kubelet import ContainerLog, line
from tests.e2e.waiting import now

PARTIAL_BYTES = 16384
_TICK_SECS = 0.02
_NOISE = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789 äöü", k=65536))
_LONG_EVERY = 97  # rows
_STDERR_EVERY = 7
_TORN_EVERY = 3  # rotations
_JOIN_SECS = 60.0


def text_of(pod: str, number: int) -> str:
    """What the pod writes as its row of this number."""
    size = 60 + number * 7919 % 2000
    if number % _LONG_EVERY == 0:
        size += 2 * PARTIAL_BYTES
    start = number * 104_729 % (len(_NOISE) // 2)
    return f"{pod} {number} {_NOISE[start : start + size]}"


def stream_of(number: int) -> str:
    return "stderr" if number % _STDERR_EVERY == 0 else "stdout"


def lines_of(pod: str, number: int) -> list[bytes]:
    """The row as physical lines: parts are cut at 16 KiB, also in the middle of a character."""
    content, stream = text_of(pod, number).encode(), stream_of(number)
    starts = range(0, len(content), PARTIAL_BYTES)
    return [
        line(
            content[start : start + PARTIAL_BYTES],
            stream=stream,
            tag="P" if start + PARTIAL_BYTES < len(content) else "F",
        )
        for start in starts
    ]


@dataclass
class _Pod:
    log: ContainerLog
    written: int = 0

    def next_lines(self) -> list[bytes]:
        lines = lines_of(self.log.pod, self.written)
        self.written += 1
        return lines


@dataclass
class Traffic:
    """A thread that writes until it is stopped."""

    root: Path
    pods: int
    bytes_per_sec: float
    rotate_bytes: int = 2_000_000
    keep_files: int = 100
    """More than are made: on a busy machine a reader that is killed again and again may be behind
    by any number of files, and what is deleted unread is lost."""
    written_bytes: int = 0
    rotations: int = 0
    torn_rotations: int = 0
    """Rotations between two parts of a row."""
    story: list[str] = field(default_factory=list)
    """What happened when."""
    secs: float = 0.0
    _pods: list[_Pod] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _error: BaseException | None = None

    def __post_init__(self) -> None:
        for number in range(self.pods):
            log = ContainerLog(self.root, f"pod-{number}", keep_files=self.keep_files)
            self._pods.append(_Pod(log))
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> dict[str, int]:
        """How many rows each pod has written."""
        self._stop.set()
        self._thread.join(_JOIN_SECS)
        assert not self._thread.is_alive(), "the writer does not end"
        if self._error is not None:
            raise self._error
        return {pod.log.pod: pod.written for pod in self._pods}

    def _run(self) -> None:
        started = time.monotonic()
        try:
            while not self._stop.wait(_TICK_SECS):
                self.secs = time.monotonic() - started
                due = self.secs * self.bytes_per_sec - self.written_bytes
                for pod in self._pods:
                    self._write(pod, due / len(self._pods))
        except BaseException as error:
            self._error = error

    def _write(self, pod: _Pod, size: float) -> None:
        if pod.log.size >= self.rotate_bytes:
            self._rotate(pod)
        lines: list[bytes] = []
        written = 0
        while written < size:
            new = pod.next_lines()
            lines += new
            written += sum(map(len, new))
        self._append(pod, b"".join(lines))

    def _append(self, pod: _Pod, content: bytes) -> None:
        pod.log.append(content)
        self.written_bytes += len(content)

    def _rotate(self, pod: _Pod) -> None:
        """The runtime writes on for a moment, and may reopen its log in the middle of a row."""
        meanwhile = [part for _ in range(3) for part in pod.next_lines()]
        last: list[bytes] = []
        if pod.log.rotations % _TORN_EVERY == 0:
            while len(last) < 2:
                meanwhile += last
                last = pod.next_lines()
            self.torn_rotations += 1
        inside = f" inside of row {pod.written - 1}" if last else ""
        self.story.append(f"{now()} {pod.log.pod}: rotation {pod.log.rotations}{inside}")
        content = b"".join([*meanwhile, *last[:-1]])
        pod.log.rotate(content)
        self.written_bytes += len(content)
        self.rotations += 1
        self._append(pod, b"".join(last[-1:]))
