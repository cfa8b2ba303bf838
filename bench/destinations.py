"""The sink's process, as the measurement sees it: ports to ship to, counts to ask for."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.processes import ended

_START_SECS = 30.0
_ASK_SECS = 120
"""Blocks are read when the counts are asked for."""


class Arrived(msgspec.Struct, frozen=True):
    """What came since the sink started."""

    rows: int
    distinct_ids: int
    tokens: int
    distinct_tokens: int
    requests: int
    body_bytes: int
    """Before compression."""
    wire_bytes: int
    packed_bytes: int = 0
    """Of blocks, and below what they hold."""
    unpacked_bytes: int = 0


class Ports(msgspec.Struct, frozen=True):
    logging: int
    lines: int
    pubsub: int = 0
    bigquery: int = 0


@dataclass(frozen=True)
class Destination:
    ports: Ports

    def arrived(self) -> Arrived:
        url = f"http://127.0.0.1:{self.ports.logging}/stats"
        with urllib.request.urlopen(url, timeout=_ASK_SECS) as answer:
            return msgspec.json.decode(answer.read(), type=Arrived)


@contextmanager
def destination(directory: Path, *services: str) -> Iterator[Destination]:
    """A fresh sink, for one run; `services` beside HTTP and lines: pubsub, bigquery."""
    ready = directory / "sink.json"
    ready.unlink(missing_ok=True)
    with started([sys.executable, "-m", "bench.sink", str(ready), *services], ready):
        yield Destination(msgspec.json.decode(ready.read_bytes(), type=Ports))


@contextmanager
def started(command: list[str], ready: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A server that says it is ready by writing a file; it is ended here."""
    with ended(subprocess.Popen(command, stdout=subprocess.DEVNULL)) as server:
        end = time.monotonic() + _START_SECS
        while not ready.exists():
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"did not start: {' '.join(command)}")
            time.sleep(0.02)
        yield server
