"""Writes logs at a pace while a kubelet rotates them: a process of its own.

Loud logs share a rate of bytes, quiet and refused ones get a line every 0.1 s each. A line is an
access line of 201 bytes with the time it is written and its number. Every ten seconds the kubelet's
thread rotates what has reached containerLogMaxSize: it compresses, renames, and the writer begins a
new file. Commands come as JSON, one a line, on stdin; each is answered by what was written so far.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Sequence

import msgspec

from bench.faults.arrivals import KIND_SHIFT, LOUD, QUIET, REFUSED
from bench.lines import SEED, access_stem
from logship_sandbox.demo.writer_files import LogFiles, PodName

LINE_BYTES = 201
_STEMS = 512
_TICK_SECS = 0.02
_QUIET_SECS = 0.1
_AT_ONCE = 4000
"""Lines of one write."""
KUBELET_SECS = 10.0
"""containerLogMonitorInterval."""


class Plan(msgspec.Struct, frozen=True):
    root: str = ""
    """As the kubelet's /var/log/pods."""
    loud: int = 5
    quiet: int = 10
    refused: int = 0
    rotate_bytes: int = 10 << 20
    max_files: int = 5
    """containerLogMaxSize and containerLogMaxFiles."""


class Command(msgspec.Struct):
    loud_bytes_per_sec: float | None = None
    loud_bytes: int = 0
    """Write so much at once, as fast as it goes."""
    quiet: bool | None = None
    """Whether quiet and refused logs are written."""


class Written(msgspec.Struct):
    rows: list[int]
    """By kind."""
    rotations: int
    late_secs: float
    """How much later than planned a line was written, at most."""


class Log:
    """One container's."""

    def __init__(self, plan: Plan, kind: int, number: int) -> None:
        namespace = ("loud", "quiet", "refused")[kind]
        uid = f"{kind:08x}-0000-4000-8000-{number:012d}"
        pod = PodName(namespace, f"{namespace}-{number}", uid)
        self.files = LogFiles(plan.root, pod, "app", plan.max_files)
        self._lock = threading.Lock()
        self._fd = self.files.open()

    def append(self, content: bytes) -> None:
        with self._lock:
            os.write(self._fd, content)

    def rotate(self) -> None:
        """The runtime writes on to the renamed file until it is told to reopen."""
        self.files.rename(time.time_ns())
        with self._lock:
            os.close(self._fd)
            self._fd = self.files.open()

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size


class Writer:
    def __init__(self, plan: Plan) -> None:
        counts = {LOUD: plan.loud, QUIET: plan.quiet, REFUSED: plan.refused}
        self._logs = {kind: [Log(plan, kind, n) for n in range(counts[kind])] for kind in counts}
        self._plan = plan
        self._heads = [b" stdout F " + _stem(number) for number in range(_STEMS)]
        self._rows = [0, 0, 0]
        self._rotations, self._late_secs = 0, 0.0
        self._lock = threading.Lock()
        self._rate, self._quiet, self._owed = 0.0, False, 0.0

    def obey(self, command: Command) -> Written:
        with self._lock:
            if command.loud_bytes_per_sec is not None:
                self._rate, self._owed = command.loud_bytes_per_sec, 0.0
            if command.quiet is not None:
                self._quiet = command.quiet
            self._write_all(LOUD, command.loud_bytes // LINE_BYTES)
            return Written(list(self._rows), self._rotations, self._late_secs)

    def run(self) -> None:
        """Without end."""
        before = quiet_at = time.monotonic()
        while True:
            time.sleep(_TICK_SECS)
            now = time.monotonic()
            with self._lock:
                self._late_secs = max(self._late_secs, now - before - _TICK_SECS)
                self._owed += self._rate / LINE_BYTES * (now - before)
                self._write_all(LOUD, int(self._owed))
                self._owed -= int(self._owed)
                while quiet_at <= now:
                    quiet_at += _QUIET_SECS
                    self._say_quietly()
            before = now

    def _say_quietly(self) -> None:
        for kind in (QUIET, REFUSED):
            for log in self._logs[kind] if self._quiet else ():
                self._write(log, kind, 1)

    def _write_all(self, kind: int, lines: int) -> None:
        """Shared by all logs of the kind."""
        while lines > 0:
            logs = self._logs[kind]
            some = min(lines, _AT_ONCE * len(logs))
            for log, share in zip(logs, _shares(some, len(logs)), strict=True):
                self._write(log, kind, share)
            lines -= some

    def _write(self, log: Log, kind: int, lines: int) -> None:
        if not lines:
            return
        secs, nanos = divmod(time.time_ns(), 10**9)
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(secs))}.{nanos:09d}Z".encode()
        first, heads = self._rows[kind], self._heads
        base = kind << KIND_SHIFT
        log.append(
            b"".join(
                b"%b%b%012x\n" % (stamp, heads[number % _STEMS], base + number)
                for number in range(first, first + lines)
            )
        )
        self._rows[kind] += lines

    def rotate(self) -> None:
        """The kubelet, without end; it rests when nothing loud is written."""
        while True:
            time.sleep(KUBELET_SECS)
            for logs in self._logs.values():
                for log in logs:
                    if self._rate and log.size >= self._plan.rotate_bytes:
                        log.rotate()
                        self._rotations += 1


def _shares(lines: int, logs: int) -> Sequence[int]:
    each, more = divmod(lines, logs)
    return [each + (number < more) for number in range(logs)]


def _stem(number: int) -> bytes:
    return access_stem(random.Random(SEED + number), number)[0].encode()


def main() -> None:
    """The first line of stdin is the plan."""
    writer = Writer(msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan))
    for work in (writer.run, writer.rotate):
        threading.Thread(target=work, daemon=True).start()
    for line in sys.stdin.buffer:
        answer = writer.obey(msgspec.json.decode(line, type=Command))
        print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    main()
