"""Other agents, as their own documentation recommends for the same work, where they are installed.

Each module knows one: where its program is, which version it says, and what it is configured with.
All read the same files and send lines of JSON or text to the same sink, which looks for the number
that every line has; an agent that joins the runtime's parts sends two numbers in one row.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.destinations import Ports, destination
from bench.process import measured
from bench.throughput import Run
from bench.workload import Workload

PATIENCE_SECS = 20.0
"""A peer that was quiet for so long has delivered what it ever will."""


@dataclass(frozen=True)
class Peer:
    """One program. `configure` writes its files into a directory and gives its command line."""

    name: str
    program: str
    version: Sequence[str]
    configure: Callable[[str, Workload, Ports, Path], Sequence[str]]
    """(path, workload, where to ship, a directory of its own) -> arguments"""
    paths: Sequence[str]
    """Of `PEER_PATHS`, those it can take."""
    note: str = ""
    """What it does not do, or does otherwise, of that work."""
    codes: Sequence[int] = (0,)

    def installed(self) -> str | None:
        return shutil.which(self.program)

    def release(self) -> str:
        """What it says of itself, in a line."""
        found = subprocess.run(
            [self.program, *self.version], capture_output=True, text=True, timeout=60, check=False
        )
        lines = (found.stdout or found.stderr).strip().splitlines()
        return lines[0].removesuffix("compiled with:").strip() if lines else "unknown"


PEER_PATHS: Mapping[str, str] = {
    "null": "rows found, nothing sent",
    "lines": "lines of text or JSON over loopback, with the file's name",
    "parsed": "the same, the application's JSON parsed first",
}


def ship(peer: Peer, path: str, work: Workload) -> Run:
    """One run. Without a sink nobody can tell what was lost; then at least all must be read."""
    with (
        tempfile.TemporaryDirectory(prefix="logship-bench-peer-") as made,
        destination(Path(made)) as sink,
    ):
        arguments = peer.configure(path, work, sink.ports, Path(made))

        def done() -> bool:
            return path != "null" and sink.arrived().distinct_tokens >= work.tokens

        patience = 5.0 if path == "null" else PATIENCE_SECS
        cost = measured([peer.program, *arguments], done, patience_secs=patience, codes=peer.codes)
        came = sink.arrived()
        if path == "null" and cost.read_bytes < work.bytes:
            raise RuntimeError(f"{peer.name} read {cost.read_bytes:,} of {work.bytes:,} bytes")
        lost = 0 if path == "null" else work.tokens - came.distinct_tokens
        doubled = came.tokens - came.distinct_tokens
        return Run(cost, lost, doubled, came.body_bytes, came.wire_bytes)
