"""`python -m bench report`: measures, writes docs/benchmarks.md and its plots.

Everything measured goes to docs/benchmarks/results.json first; page and plots are made of that file
alone, so that they can be made again without measuring.
"""

import tempfile
from dataclasses import asdict
from pathlib import Path

import msgspec

from bench import micro, page, plots
from bench.machine import machine
from bench.plan import Session, whole
from bench.throughput import Run, ship
from bench.workload import make
from logship.rows import kernel

FILE_COUNTS = (1, 20, 100, 500, 1000, 2000)
_CURVE_RUNS = 2
_RSS_PATHS = ("null", "cloud_logging", "cloud_logging_gzip", "pubsub_block")


def write(docs: Path, session: Session | None) -> int:
    """0, or 1 if rows were lost. Without a session nothing is measured: results.json is read."""
    directory = docs / "benchmarks"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "results.json"
    if session is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(_measured(session)), indent=1))
    found = msgspec.json.decode(file.read_bytes(), type=page.Results)
    plots.draw(found, directory)
    (docs / "benchmarks.md").write_text(page.text(found))
    ours = [row for row in found.rows if row.agent == "logship"]
    return 1 if any(row.lost or row.doubled for row in ours) else 0


def _measured(session: Session) -> page.Results:
    kind = kernel.in_use()
    session.measure(whole(kind))
    session.say("files")
    files = _files(session.mb, kind)
    session.say("memory")
    rss = _memory(session.mb, kind)
    session.say("micro")
    return page.Results(
        machine=machine(),
        limits=session.limits,
        rows=[msgspec.convert(asdict(row), page.ResultRow) for row in session.rows],
        micro=micro.measure(),
        files=files,
        rss=rss,
        idle_rss_mb=_idle(kind),
        missing=session.missing,
    )


def _files(mb: int, kind: str) -> dict[str, list[tuple[int, float]]]:
    """By path: (files, CPU-ns a row of the same bytes), the start of the process included."""
    found: dict[str, list[tuple[int, float]]] = {"null": [], "cloud_logging": []}
    for count in FILE_COUNTS:
        with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
            work = make("A", Path(made), count, mb * 10**6)
            for path, points in found.items():
                secs = min(ship(path, work, kind).cost.cpu_secs for _ in range(_CURVE_RUNS))
                points.append((count, round(secs * 1e9 / work.rows, 1)))
    return found


def _memory(mb: int, kind: str) -> dict[str, list[tuple[float, float]]]:
    """By path: (second, MB) of one run each, for two sizes of the same workload."""
    found = {}
    for size in (max(mb // 4, 1), mb):
        with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
            work = make("A", Path(made), 20, size * 10**6)
            for path in _RSS_PATHS:
                found[f"{path}, {size} MB"] = _thinned(ship(path, work, kind))
    return found


def _idle(kind: str) -> float:
    """MB of an agent that has shipped one line and waits for more."""
    with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
        run = ship("cloud_logging", make("A", Path(made), 1, 1), kind)
    return round(run.cost.peak_rss_bytes / 1e6, 1)


def _thinned(run: Run, points: int = 200) -> list[tuple[float, float]]:
    step = max(1, len(run.cost.rss) // points)
    return [(round(at, 3), round(held / 1e6, 2)) for at, held in run.cost.rss[::step] if held]
