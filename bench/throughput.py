"""Megabytes of log file per CPU-second of the agent, whole process, over loopback, losses counted.

Every run has a new agent without positions and a new sink; all files are in the page cache. CPU is
that of the whole process, its start included; what a start costs alone is measured beside it, with
no logs at all. A row of the report is the median, least and greatest of its runs.
"""

import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.agent import Agent, Kind, of_path
from bench.destinations import Arrived, destination
from bench.limits import needed_secs
from bench.machine import machine
from bench.paths import PATHS
from bench.process import Cost
from bench.workload import Workload, make


@dataclass(frozen=True)
class Run:
    """One agent that shipped one workload."""

    cost: Cost
    lost: int
    doubled: int
    body_bytes: int
    wire_bytes: int
    ratio: float | None = None
    """Of compression, where the sink can tell it."""


@dataclass(frozen=True)
class Row:
    """One line of the report. Sizes in 10^6 bytes; the spread is over the runs."""

    path: str
    workload: str
    files: int
    agent: str
    version: str
    kernel: str
    """`compiled` or `pure`; empty for other agents."""
    runs: int
    mb: float
    """Of log, each run."""
    mb_per_cpu_s: float
    mb_per_cpu_s_min: float
    mb_per_cpu_s_max: float
    rows_per_cpu_s: int
    mb_per_s: float
    peak_rss_mb: float
    lost: int
    doubled: int
    share_of_limit: float
    cpu_s: float
    cpu_s_min: float
    start_cpu_s: float | None
    """What of `cpu_s` the start of the process costs, where that was measured."""
    compression_ratio: float | None = None

    @property
    def mb_per_cpu_s_running(self) -> float:
        """Of the best run, without its start: what tells a regression from the noise."""
        return self.mb / max(self.cpu_s_min - (self.start_cpu_s or 0.0), 0.01)


@dataclass(frozen=True)
class Found:
    """All of one call."""

    rows: Sequence[Row]
    limits: Mapping[str, Mapping[str, float]]
    """By workload."""


def ship(path: str, work: Workload, kernel: Kind) -> Run:
    """One run of a path of the agent."""
    way = PATHS[path]
    with (
        tempfile.TemporaryDirectory(prefix="logship-bench-run-") as made,
        destination(Path(made), *way.services) as sink,
    ):
        agent = Agent(Path(made), kernel, of_path(way, work, sink.ports))
        # Blocks are never indexed: of them the agent counts lines, which are more than rows.
        cost = agent.ship(work.files, work.rows)
        if path == "null":  # who sends nothing is believed
            rows = agent.delivered_rows
            return Run(cost, max(0, work.rows - rows), max(0, rows - work.rows), 0, 0)
        return checked(cost, work, sink.arrived())


def checked(cost: Cost, work: Workload, came: Arrived) -> Run:
    """What the sink has counted against what was written."""
    lost = work.rows - came.distinct_ids
    if came.tokens:
        lost = max(lost, work.tokens - came.tokens)
    ratio = came.unpacked_bytes / came.packed_bytes if came.packed_bytes else None
    if ratio is None and came.wire_bytes < came.body_bytes:
        ratio = came.body_bytes / came.wire_bytes
    doubled = came.rows - came.distinct_ids
    return Run(cost, lost, doubled, came.body_bytes, came.wire_bytes, ratio)


def start_secs(kernel: Kind, path: str = "cloud_logging", runs: int = 3) -> float:
    """CPU-seconds of an agent that finds one log of one line, and ends: the least of some runs."""
    with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
        work = make("A", Path(made), 1, 1)
        return min(ship(path, work, kernel).cost.cpu_secs for _ in range(runs))


def row(
    path: str,
    work: Workload,
    runs: Sequence[Run],
    needs: Mapping[str, float],
    limits: Mapping[str, float],
    *,
    agent: str = "logship",
    release: str | None = None,
    kernel: str = "",
    start: float | None = None,
) -> Row:
    """The runs of one path in one line."""
    cpu = [run.cost.cpu_secs for run in runs]
    speeds = [work.bytes / 1e6 / secs for secs in cpu]
    body = statistics.median(run.body_bytes for run in runs)
    wire = statistics.median(run.wire_bytes for run in runs)
    least = needed_secs(needs, limits, work.bytes, int(body), int(wire))
    ratios = [run.ratio for run in runs if run.ratio is not None]
    walls = [work.bytes / 1e6 / run.cost.wall_secs for run in runs]
    return Row(
        path=path, workload=work.kind, files=work.files, agent=agent,
        version=version("logship") if release is None else release, kernel=kernel,
        runs=len(runs), mb=round(work.bytes / 1e6, 1),
        mb_per_cpu_s=round(statistics.median(speeds), 1),
        mb_per_cpu_s_min=round(min(speeds), 1), mb_per_cpu_s_max=round(max(speeds), 1),
        rows_per_cpu_s=int(work.rows / statistics.median(cpu)),
        mb_per_s=round(statistics.median(walls), 1),
        peak_rss_mb=round(max(run.cost.peak_rss_bytes for run in runs) / 1e6, 1),
        lost=max(run.lost for run in runs), doubled=max(run.doubled for run in runs),
        share_of_limit=round(least / statistics.median(cpu), 3),
        cpu_s=round(statistics.median(cpu), 3), cpu_s_min=round(min(cpu), 3),
        start_cpu_s=None if start is None else round(start, 3),
        compression_ratio=round(statistics.median(ratios), 2) if ratios else None,
    )  # fmt: skip


def as_json(found: Found) -> dict[str, object]:
    rows = [asdict(row) for row in found.rows]
    return {"machine": machine(), "limits": found.limits, "rows": rows}
