"""Nanoseconds per row of each of the `stages`, in this process, with both row kernels.

A regression of a path gets an address here. Each stage gets fresh batches of 256 KiB, as a feed
takes them; the figure is the least of several rounds over the same bytes, in the thread's CPU time.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.stages import Stage, stages
from logship.rows import kernel

_BYTES = 8_000_000
_ROUNDS = 5
Found = Mapping[str, Mapping[str, float]]
"""By stage, ns per row by kernel."""


def measure(
    size: int = _BYTES, rounds: int = _ROUNDS, kinds: Sequence[str] | None = None
) -> dict[str, dict[str, float]]:
    """By stage and kernel. The kernel in use is the same as before afterwards."""
    if kinds is None:
        kinds = ("compiled", "pure") if kernel.BUILT else ("pure",)
    chosen = kernel.in_use()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
        known = stages(Path(made), size)
        try:
            for kind in kinds:
                kernel.choose(kind)
                for name, stage in known.items():
                    secs = min(_timed(stage) for _ in range(rounds))
                    found.setdefault(name, {})[kind] = round(secs * 1e9 / stage.rows, 1)
        finally:
            kernel.choose(chosen)
    return found


def _timed(stage: Stage) -> float:
    work = stage.prepare()
    start = time.thread_time()
    work()
    return time.thread_time() - start


def table(found: Found) -> str:
    kinds = list(next(iter(found.values())))
    head = f"{'stage':14}" + "".join(f"{kind + ' ns/row':>18}" for kind in kinds)
    lines = [
        f"{stage:14}" + "".join(f"{by_kind[kind]:18.1f}" for kind in kinds)
        for stage, by_kind in found.items()
    ]
    return "\n".join([head, *lines])
