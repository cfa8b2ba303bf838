"""Runs an agent as a process and reads its costs from the operating system.

CPU is user and system time of all its threads, from its start to its end, by wait4(2). To ask an
agent how far it is would cost CPU of its own, so it is asked only when it has gone quiet, and the
time it needed ends where it went quiet.
"""

import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bench.processes import cpu_ticks, status_bytes

TIMEOUT_SECS = 300.0
_LOOK_SECS = 0.02
_QUIET_SECS = 0.25
_ASK_SECS = 3.0
"""An agent that never goes quiet is asked this often."""
_IDLE_TICKS = 1
_STOP_SECS = 30.0
_SAID_BYTES = 2000


@dataclass(frozen=True)
class Cost:
    """Of the whole process; of its children nothing."""

    cpu_secs: float
    wall_secs: float
    peak_rss_bytes: int
    read_bytes: int = 0
    """By read(2) and its kin, from files and sockets."""
    rss: Sequence[tuple[float, int]] = field(default=(), repr=False)
    """(seconds since its start, bytes): what it held over time, about 50 times a second."""


def measured(
    command: Sequence[str],
    done: Callable[[], bool],
    *,
    environment: Mapping[str, str] | None = None,
    patience_secs: float = TIMEOUT_SECS,
    stop: signal.Signals = signal.SIGTERM,
    codes: Sequence[int] = (0,),
) -> Cost:
    """Run until `done`, or until it was quiet for so long; then stop it cleanly."""
    started = time.monotonic()
    everything = {**os.environ, **(environment or {})}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=everything, stdout=subprocess.DEVNULL, stderr=said)
        watch = _Watch(process.pid, started)
        try:
            wall = watch.until(done, lambda: _check(process, said), patience_secs)
            peak, read = status_bytes(process.pid, "VmHWM"), _read_bytes(process.pid)
            process.send_signal(stop)
            usage = _reaped(process)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        if process.returncode not in codes:
            raise _ended(process, said)
    return Cost(usage.ru_utime + usage.ru_stime, wall, peak, read, watch.rss)


def _check(process: "subprocess.Popen[bytes]", said: IO[bytes]) -> None:
    if process.poll() is not None:
        raise _ended(process, said)


def _ended(process: "subprocess.Popen[bytes]", said: IO[bytes]) -> RuntimeError:
    said.seek(0)
    last = said.read()[-_SAID_BYTES:].decode(errors="replace")
    return RuntimeError(f"{process.args!r} ended with {process.returncode}: {last}")


def _reaped(process: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """What it used; killed if it does not end in time."""
    end = time.monotonic() + _STOP_SECS
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        if time.monotonic() > end:
            process.kill()
        time.sleep(0.01)


class _Watch:
    """Looks at a process until it is done."""

    def __init__(self, pid: int, started: float) -> None:
        self._pid = pid
        self._started = started
        self.rss: list[tuple[float, int]] = []

    def until(
        self, done: Callable[[], bool], check: Callable[[], None], patience_secs: float
    ) -> float:
        """Seconds until it was done, or seemed to be for `patience_secs`."""
        ticks, quiet_since = 0, self._started
        asked = quiet_since
        while True:
            time.sleep(_LOOK_SECS)
            check()
            now = time.monotonic()
            found = cpu_ticks(self._pid)
            self.rss.append((now - self._started, status_bytes(self._pid, "VmRSS")))
            if found > ticks + _IDLE_TICKS:
                ticks, quiet_since = found, now
            quiet = now - quiet_since >= _QUIET_SECS
            if (quiet and now - asked >= _QUIET_SECS) or now - asked >= _ASK_SECS:
                if done():
                    return max(quiet_since - self._started, _LOOK_SECS)
                asked = time.monotonic()
            if now - quiet_since > patience_secs or now - self._started > TIMEOUT_SECS:
                return max(quiet_since - self._started, _LOOK_SECS)


def _read_bytes(pid: int) -> int:
    fields = Path(f"/proc/{pid}/io").read_bytes().split()
    return int(fields[fields.index(b"rchar:") + 1])
