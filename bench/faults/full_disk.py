"""The disk under the state directory is full: positions and dead letters cannot be written.

The directory is a small tmpfs of its own, which is filled and emptied again (so it takes root).
Other logs must flow on; a log of which rows are refused waits, and no other; the agent says what is
wrong, and goes on by itself as soon as there is room.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.faults.arrivals import REFUSED
from bench.faults.found import Found, load_average, megabytes, skipped
from bench.faults.scenarios import EXACT, Lengths, accounts, drained, settled
from bench.faults.stage import FAULTY, MEMORY_BYTES, OTHER, Stage, Status, stage, wait_for
from bench.faults.watch import Watch
from bench.faults.writer import Plan, Written

NAME = "full_disk"
_WHAT = "the disk of positions and dead letters is full, while rows of five logs are refused"
_PLAN = Plan(refused=5, max_files=50)
_STATE_MB = 32
_SEEN_SECS = 2.0
"""Until the first write that finds the disk full has failed."""
_RECOVERY_SECS = 60.0


def full_disk(lengths: Lengths) -> Found:
    with tempfile.TemporaryDirectory(prefix="logship-bench-") as made, _tmpfs(Path(made)) as why:
        if why:
            return skipped(NAME, why)
        with (
            stage(Path(made), _PLAN, {}) as on,
            on.run_agent("agent", (FAULTY, OTHER)),
            Watch(on) as watch,
        ):
            run = _run(on, watch, lengths)
    limit = run.base_mb + MEMORY_BYTES / 1e6
    figures, at_least = _figures(run)
    at_most = {
        "peak_rss_mb": round(limit, 1),
        "letters_meanwhile": 0,
        "letters_missing": 0,
        "recovered_after_secs": 10.0,
        **EXACT,
    }
    at_least["checkpoint_age_secs"] = at_least["checkpoint_age_metric"] = lengths.spell_secs / 2
    return Found(
        NAME, _WHAT, figures, at_most, at_least, limit, watch.samples, watch.marks, load_average()
    )


@dataclass
class _Run:
    base_mb: float
    peak_mb: float
    secs: float
    written_rows: int
    """While the disk was full, but for those that are refused."""
    taken_rows: int
    """Of them, by the sink."""
    full: Status
    """As soon as it was full, and below just before there was room again."""
    last: Status
    age_metric: float
    recovered_after_secs: float
    after: Status
    written: Written
    complaints: tuple[int, int]
    """Lines of log: on positions, on dead letters."""
    figures: dict[str, float]


def _run(on: Stage, watch: Watch, lengths: Lengths) -> _Run:
    filler = on.directory / "state" / "filler"
    base = settled(on, watch, lengths)
    watch.begin("run-up")
    on.writer.tell(loud_bytes_per_sec=lengths.loud_bytes_per_sec)
    time.sleep(lengths.warm_up_secs)
    on.agent.forget_peak()
    watch.begin("fault")
    fill(filler)
    time.sleep(_SEEN_SECS)
    full, before, rows = on.status(), on.writer.tell(), on.sinks[FAULTY].arrived().rows
    time.sleep(lengths.spell_secs)
    last, after, taken = on.status(), on.writer.tell(), on.sinks[FAULTY].arrived().rows
    age = _metric(on, "logship_checkpoint_age_seconds")
    watch.begin("recovery")
    filler.unlink()
    back = wait_for("saved positions", _RECOVERY_SECS, lambda: on.said("are saved again") > 0)
    written = drained(on)
    return _Run(
        base, on.agent.peak_rss_mb(), lengths.spell_secs,
        sum(after.rows[:REFUSED]) - sum(before.rows[:REFUSED]), taken - rows,
        full, last, age, back, on.status(), written,
        (on.said("cannot save positions"), on.said(" waits: ")), accounts(on, written),
    )  # fmt: skip


def _figures(run: _Run) -> tuple[dict[str, float], dict[str, float]]:
    """And what some of them should be at least."""
    letters = [_letters(status) for status in (run.full, run.last, run.after)]
    figures = {
        "base_rss_mb": round(run.base_mb, 1),
        "peak_rss_mb": round(run.peak_mb, 1),
        "mb_per_s_written": round(megabytes(run.written_rows) / run.secs, 2),
        "mb_per_s_taken": round(megabytes(run.taken_rows) / run.secs, 2),
        "flowing_share": round(run.taken_rows / max(run.written_rows, 1), 3),
        "checkpoint_age_secs": round(run.last.checkpoint_age_secs or 0.0, 1),
        "checkpoint_age_metric": round(run.age_metric, 1),
        "lines_on_positions": run.complaints[0],
        "lines_on_letters": run.complaints[1],
        "refused_rows": run.written.rows[REFUSED],
        "letters_meanwhile": letters[1] - letters[0],
        "letters_missing": 2 * run.written.rows[REFUSED] - letters[2],
        "recovered_after_secs": round(run.recovered_after_secs, 1),
        **run.figures,
    }
    return figures, {"flowing_share": 0.95, "lines_on_positions": 1, "lines_on_letters": 1}


def _letters(status: Status) -> int:
    """Of both routes."""
    return sum(route.dead_rows for route in status.routes.values())


def _metric(on: Stage, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", on.metrics(), re.M)
    return float(found[1]) if found else 0.0


def fill(path: Path) -> None:
    """Until not a byte more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


@contextmanager
def _tmpfs(directory: Path) -> Iterator[str]:
    """At `state` below it; why there is none, or nothing."""
    state = directory / "state"
    state.mkdir()
    why = mount_tmpfs(state, _STATE_MB)
    try:
        yield why
    finally:
        if not why:
            unmount(state)


def mount_tmpfs(directory: Path, size_mb: int) -> str:
    """Empty, or why it could not be mounted."""
    if os.geteuid() != 0:
        return "a tmpfs can be mounted by root only"
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=0700", "tmpfs", str(directory)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        return f"no tmpfs can be mounted: {error}"
    return ""


def unmount(directory: Path) -> None:
    subprocess.run(["umount", str(directory)], check=True, timeout=30)
