"""The parts of the measurement: each says what it found of an agent at rest.

idle        nothing is written: what following files costs
discovery   new containers appear while others write
steady      50 of 2,000 files are written, 10 MB/s in all
loud        one container as fast as it can, beside 49 slow ones
trickle     500 of 2,000 files, 10 lines/s each
scrape      what asking for metrics costs, beside `idle`
files       idle again, with fewer files, each number with an agent of its own

All others are asked of one agent, one after the other: its start must not count.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.delays import Delays
from bench.tail.sink import Arrived
from bench.tail.stage import Stage, stage, writing
from bench.tail.writer import Plan, Written

FILES = 2000
BUSY = 50
_LINE_BYTES = 201
_STEADY_EVERY_SECS = 0.02
_STEADY_LINES = 20
"""50 files x 50 writes/s x 20 lines x 201 bytes = 10 MB/s."""
_SCRAPE_SECS = 1.1
"""An answer is kept for a second."""
_NOTHING = Delays(0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Lengths:
    """Seconds of each part, sizes of those that are bounded by size."""

    idle: float = 20.0
    files: float = 8.0
    work: float = 15.0
    new_files: int = 200
    loud_bytes: int = 400_000_000
    counts: Sequence[int] = (1, 100, 500)
    settle: float = 9.0
    """Until files that were just read are at rest."""


SHORT = Lengths(3.0, 3.0, 3.0, 60, 100_000_000, (), 7.0)
TREE = {"busy": BUSY, "loud": 1, "slow": BUSY - 1, "few": 500, "idle": FILES - 600}
"""Files by namespace."""


@dataclass(frozen=True)
class Found:
    """Figures of one part, the bounds they should keep, and whether they do."""

    part: str
    what: str
    figures: dict[str, float]
    below: dict[str, float] = field(default_factory=dict)
    """By figure. Of a count the bound is 0.5: there should be none."""
    load_average: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    @property
    def holds(self) -> bool:
        return all(self.figures[name] < bound for name, bound in self.below.items())


def idle(on: Stage, lengths: Lengths) -> Found:
    """No writes at all."""
    bounds = {"cpu_percent": 1.0, "rss_mb": 100.0}
    figures = _idle(on, FILES, lengths.idle)
    return Found("idle", f"{FILES} files, no writes for {lengths.idle:g} s", figures, bounds)


def discovery(on: Stage, lengths: Lengths) -> Found:
    """New containers, each with lines at once, beside the steady load."""
    count, every = lengths.new_files, 0.025
    new = Plan("appear", on.tree.paths("new", count), every_secs=every, lines=10)
    steady = _steady(on, count * every + 1)
    figures = _measured(on, [steady, new])
    delays = _arrived(on, figures).delays.get("new", _NOTHING)
    figures |= {"new_files": count, **_delays("", delays)}
    what = f"{count} new files, 40 a second, beside {BUSY} busy ones"
    bounds = {"p99_secs": 1.0, "lost": 0.5, "doubled": 0.5}
    return Found("discovery", what, figures, bounds)


def steady(on: Stage, lengths: Lengths) -> Found:
    """A node with much to say."""
    figures = _measured(on, [_steady(on, lengths.work)])
    delays = _arrived(on, figures).delays.get("busy", _NOTHING)
    figures |= _delays("", delays)
    what = f"{BUSY} of {FILES} files, {figures['written_mb_per_s']:.1f} MB/s in all"
    bounds = {"p99_secs": 1.0, "rss_mb": 100.0, "lost": 0.5, "doubled": 0.5}
    return Found("steady", what, figures, bounds)


def loud(on: Stage, lengths: Lengths) -> Found:
    """One container at full speed: those beside it must not wait for it."""
    slow = Plan("paced", on.tree.paths("slow", BUSY - 1), lengths.work, 0.1, 1)
    full = Plan(
        "full_speed", on.tree.paths("loud", 1), lines=1, max_bytes=lengths.loud_bytes
    )  # fmt: skip
    figures = _measured(on, [full, slow])
    delays = _arrived(on, figures).delays
    figures |= _delays("slow_", delays.get("slow", _NOTHING))
    figures |= _delays("loud_", delays.get("loud", _NOTHING))
    what = f"1 file at {figures['written_mb_per_s']:.0f} MB/s beside {BUSY - 1} of 10 lines/s"
    bounds = {"slow_p99_secs": 2.0, "lost": 0.5, "doubled": 0.5}
    return Found("loud", what, figures, bounds)


def trickle(on: Stage, lengths: Lengths) -> Found:
    """Many containers that each say little: what batches cost, not bytes."""
    plan = Plan("paced", on.tree.paths("few", 500), lengths.work, 0.1, 1)
    figures = _measured(on, [plan])
    delays = _arrived(on, figures).delays.get("few", _NOTHING)
    figures |= _delays("", delays)
    bounds = {"cpu_percent": 5.0, "p99_secs": 1.0, "lost": 0.5, "doubled": 0.5}
    return Found("trickle", f"500 of {FILES} files, 10 lines/s each", figures, bounds)


def scrape(on: Stage, lengths: Lengths) -> Found:
    """Metrics of all files at rest, asked for more often than anybody would."""
    before, size, began = on.agent.cpu_secs(), 0, time.monotonic()
    times = round(lengths.idle / _SCRAPE_SECS)
    for _ in range(times):
        time.sleep(_SCRAPE_SECS)
        size = on.agent.scrape()
    secs, used = time.monotonic() - began, on.agent.cpu_secs() - before
    at_rest = _idle(on, FILES, lengths.idle)["cpu_percent"] / 100 * secs
    each = max(0.0, used - at_rest) / times
    figures = {
        "bytes": size,
        "cpu_secs_each": round(each, 4),
        "cpu_percent_every_15_secs": round(each / 15 * 100, 2),
    }
    bounds = {"cpu_percent_every_15_secs": 1.0}
    return Found("scrape", f"{times} scrapes of {FILES} files", figures, bounds)


def files(lengths: Lengths) -> Iterator[Found]:
    """For a plot: idle cost by number of files."""
    for count in lengths.counts:
        with fresh({"idle": count}, lengths) as on:
            yield Found("files", f"{count} files, no writes", _idle(on, count, lengths.files))


def _idle(on: Stage, files: int, secs: float) -> dict[str, float]:
    before = on.agent.cpu_secs()
    time.sleep(secs)
    cpu = (on.agent.cpu_secs() - before) / secs
    return {"files": files, "cpu_percent": round(cpu * 100, 2), "rss_mb": _rss(on)}


PARTS: dict[str, Callable[[Stage, Lengths], Found]] = {
    "idle": idle,
    "discovery": discovery,
    "steady": steady,
    "loud": loud,
    "trickle": trickle,
    "scrape": scrape,
}


def _steady(on: Stage, secs: float) -> Plan:
    paths = on.tree.paths("busy", BUSY)
    return Plan("paced", paths, secs, _STEADY_EVERY_SECS, _STEADY_LINES)


def _measured(on: Stage, plans: Sequence[Plan]) -> dict[str, float]:
    """Carry out the plans at once; what they wrote, and what the agent used until it arrived."""
    on.sink.reset()
    on.agent.forget_peak()
    before, began = on.agent.cpu_secs(), time.monotonic()
    written = _carry_out(plans)
    rows = sum(part.rows for part in written)
    on.sink.wait_for(rows)
    secs, cpu = time.monotonic() - began, on.agent.cpu_secs() - before
    mb = sum(part.bytes for part in written) / 1e6
    return {
        "rows": rows,
        "written_mb_per_s": round(max(part.bytes / 1e6 / part.secs for part in written), 2),
        "writer_late_secs": round(max(part.late_secs for part in written), 3),
        "cpu_percent": round(cpu / secs * 100, 2),
        "cpu_secs_per_mb": round(cpu / mb, 5),
        "rss_mb": _rss(on),
    }


def _carry_out(plans: Sequence[Plan]) -> list[Written]:
    if not plans:
        return []
    with writing(plans[0]) as work:
        rest = _carry_out(plans[1:])
        return [work.written(), *rest]


def _arrived(on: Stage, figures: dict[str, float]) -> Arrived:
    """What came; adds to the figures what did not, and what came more than once."""
    arrived = on.sink.arrived()
    figures["lost"] = figures["rows"] - arrived.distinct
    figures["doubled"] = arrived.rows - arrived.distinct
    return arrived


def _delays(prefix: str, delays: Delays) -> dict[str, float]:
    return {
        f"{prefix}p50_secs": round(delays.p50, 3),
        f"{prefix}p99_secs": round(delays.p99, 3),
        f"{prefix}max_secs": round(delays.max, 3),
    }


def _rss(on: Stage) -> float:
    return round(on.agent.peak_rss_mb(), 1)


@contextmanager
def fresh(files: dict[str, int], lengths: Lengths) -> Iterator[Stage]:
    """An agent at rest over so many files by namespace."""
    with (
        tempfile.TemporaryDirectory(prefix="logship-bench-") as made,
        stage(Path(made), files, lengths.settle) as on,
    ):
        yield on
