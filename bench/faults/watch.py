"""What an agent holds over time: a thread that looks while a scenario goes on."""

import threading
import time
from contextlib import suppress

import msgspec

from bench.faults.stage import FAULTY, OTHER, Stage
from bench.processes import status_bytes

_LOOK_SECS = 0.4
"""The peak of memory is the kernel's own, not the greatest of the samples."""


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """MB are 10^6 bytes."""

    at: float
    """Seconds since the beginning."""
    rss_mb: float
    held_mb: float
    """Charged by the route with the fault, and the other."""
    other_held_mb: float
    unread_mb: float
    """By the route with the fault."""


class Watch:
    def __init__(self, on: Stage) -> None:
        self._on = on
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples: list[Sample] = []
        self.marks: list[tuple[float, str]] = []
        """When a phase began."""
        self._began = time.monotonic()

    def begin(self, phase: str) -> None:
        """From now on it is that."""
        for sink in self._on.sinks.values():
            sink.phase(phase)
        self.marks.append((round(time.monotonic() - self._began, 1), phase))

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_SECS):
            with suppress(OSError, ValueError):
                self._look()

    def _look(self) -> None:
        routes = self._on.status().routes
        now, rss = time.monotonic() - self._began, rss_mb(self._on.agent.pid)
        faulty = routes[FAULTY]
        other_held = routes[OTHER].held_bytes if OTHER in routes else 0
        sizes = faulty.held_bytes, other_held, faulty.waiting_bytes
        found = [round(size / 1e6, 2) for size in sizes]
        self.samples.append(Sample(round(now, 1), round(rss, 1), *found))


def rss_mb(pid: int) -> float:
    if not (rss := status_bytes(pid, "VmRSS")):
        raise ValueError(f"proc(5) names no VmRSS of {pid}")
    return rss / 1e6
