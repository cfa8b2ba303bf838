"""Megabytes of log file per CPU-second of the agent, whole process, over loopback.

Each row is the median of several runs; beside it stands what the same machine needs at least for
the same bytes, in the same minute: reading them and finding their newlines.
"""

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.agent import Cost, ship
from bench.destinations import destination
from bench.ports import free_port
from bench.workload import Workload, make

_CONFIG = """\
sources:
  containers: {{type: kubernetes, root: {root}, start_from: beginning, metadata: {{from: none}}}}
routes:
  - {{name: bench, from: [containers], to: sink}}
sinks:
  sink: {sink}
cluster: bench
state_dir: {state}
admin: {{listen: "127.0.0.1:{port}"}}
log_level: error
"""


@dataclass(frozen=True)
class Row:
    """One line of the report. Sizes in 10^6 bytes; the spread is over the runs."""

    path: str
    workload: str
    files: int
    kernel: str
    runs: int
    mb_per_cpu_s: float
    mb_per_cpu_s_min: float
    mb_per_cpu_s_max: float
    rows_per_cpu_s: int
    mb_per_s: float
    peak_rss_mb: float
    lost: int | None
    doubled: int | None
    share_of_limit: float


def measure(paths: Sequence[str], kind: str, files: int, size: int, runs: int) -> Iterator[Row]:
    """A row for each path, as soon as it is measured."""
    with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
        work = make(kind, Path(made) / "pods", files, size)
        limit = work.bytes / 1e6 / scan_secs(work.root)
        for path in paths:
            yield _row(path, work, Path(made), runs, limit)


def _row(path: str, work: Workload, directory: Path, runs: int, limit: float) -> Row:
    costs, lost, doubled = [], 0, 0
    counted = False
    for run in range(runs):
        with destination(path, directory) as place:
            port = free_port()
            config = directory / f"{path}-{run}.yaml"
            state = directory / f"state-{path}-{run}"
            config.write_text(
                _CONFIG.format(root=work.root, sink=place.sink, state=state, port=port)
            )
            costs.append(ship(config, f"http://127.0.0.1:{port}/status", work.bytes))
            if (arrived := place.arrived()) is not None:
                counted = True
                lost += work.rows - arrived[1]
                doubled += arrived[0] - arrived[1]
    return _summary(path, work, costs, (lost, doubled) if counted else (None, None), limit)


def _summary(
    path: str, work: Workload, costs: Sequence[Cost], found: tuple[int | None, int | None],
    limit: float,
) -> Row:  # fmt: skip
    speeds = [work.bytes / 1e6 / cost.cpu_secs for cost in costs]
    speed = statistics.median(speeds)
    return Row(
        path=path, workload=work.kind, files=work.files, kernel="pure", runs=len(costs),
        mb_per_cpu_s=round(speed, 1), mb_per_cpu_s_min=round(min(speeds), 1),
        mb_per_cpu_s_max=round(max(speeds), 1),
        rows_per_cpu_s=int(statistics.median(work.rows / cost.cpu_secs for cost in costs)),
        mb_per_s=round(statistics.median(work.bytes / 1e6 / cost.wall_secs for cost in costs), 1),
        peak_rss_mb=round(max(cost.peak_rss_bytes for cost in costs) / 1e6, 1),
        lost=found[0], doubled=found[1], share_of_limit=round(speed / limit, 3),
    )  # fmt: skip


def scan_secs(root: Path) -> float:
    """CPU seconds to read the files and count their newlines: the limit of any agent."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for path in root.glob("*/*/*.log"):
            with path.open("rb", buffering=0) as file:
                while chunk := file.read(256 * 1024):
                    chunk.count(b"\n")
        best = min(best, time.process_time() - start)
    return best


def machine() -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
    }


def as_json(rows: Sequence[Row]) -> dict[str, object]:
    return {"machine": machine(), "rows": [asdict(row) for row in rows]}
