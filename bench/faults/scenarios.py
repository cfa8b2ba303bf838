"""The scenarios in which a destination fails. (That of a full disk is `full_disk`.)

Each begins with a run-up without a fault, to compare with; then the fault, while logs are written
and rotated; then the recovery, beside quiet logs. Two routes read everything: the account of both
has to be exact, and the one without the fault must not be later than before.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bench.faults.arrivals import Arrived
from bench.faults.found import Found, account, load_average, megabytes, speed_mb
from bench.faults.sink import Fault
from bench.faults.stage import FAULTY, MEMORY_BYTES, OTHER, Stage, stage, wait_for
from bench.faults.watch import Watch, rss_mb
from bench.faults.writer import Plan, Written

PLAN = Plan(max_files=50)
"""The disk keeps what is rotated: how long an outage may last is arithmetic, not measured here."""
_DRAIN_SECS = 240.0
_LEFT_BYTES = 100_000
"""Quiet logs are always unread by about so much."""
_ASK_SECS = 0.5
"""To ask an agent how far it is costs it time."""
_REST_SECS = 2.0
"""A file that grows is seen within a second."""
NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True)
class Lengths:
    warm_up_secs: float = 12.0
    """Of loud logs, until they are rotated whenever the kubelet looks."""
    run_up_secs: float = 30.0
    stop_secs: float = 60.0
    spell_secs: float = 30.0
    loud_bytes_per_sec: float = 500e6 / 60
    backlog_bytes: int = 400_000_000
    settle_secs: float = 4.0


SHORT = Lengths(1.0, 1.0, 2.0, 2.0, 4e6, 20_000_000, 1.0)
"""Too short for figures to mean anything."""


class Spell(NamedTuple):
    """A time in which one destination fails."""

    name: str
    what: str
    fault: Fault
    stop: bool
    """As long as a stop, not as a spell of 429."""
    catch_up: bool = False
    """Whether the speed of the catch-up is compared with a calibration."""
    options: Mapping[str, object] = NOTHING


SPELLS = (
    Spell(
        "stopped_sink",
        "the server is gone: connections are cut off, new ones refused",
        Fault("refuse"), stop=True, catch_up=True,
    ),
    Spell(
        "hanging_sink",
        "the server stands still: connections stay, nothing is accepted, read or answered",
        Fault("hang"), stop=True, catch_up=True,
    ),
    Spell(
        "mute_sink",
        "requests are read whole and never answered (`request_timeout_secs: 10s`)",
        Fault("mute"), stop=True, options={"request_timeout_secs": "10s"},
    ),
    Spell(
        "throttled",
        "every request is answered by 429, without Retry-After",
        Fault("throttle"), stop=False,
    ),
)  # fmt: skip


def spell(one: Spell, lengths: Lengths, calibrate: Callable[[], float]) -> Found:
    """`calibrate` gives MB/s of a backlog through the same path without a fault."""
    secs = lengths.stop_secs if one.stop else lengths.spell_secs
    speeds = [calibrate()] if one.catch_up else []
    with fresh(PLAN, one.options) as on, on.run_agent("agent", (FAULTY, OTHER)), Watch(on) as watch:
        run = _run(on, watch, one.fault, secs, lengths)
    speeds += [calibrate()] if one.catch_up else []
    figures, at_most, at_least = _judged(run, speeds)
    return Found(
        one.name, one.what, figures, at_most, at_least, run.limit_mb, watch.samples, watch.marks,
        load_average(),
    )  # fmt: skip


@dataclass
class _Run:
    """What was seen of one spell."""

    base_mb: float
    peak_mb: float
    fault_rows: int
    """Written in the meantime."""
    backlog_rows: int
    """Not taken when the fault ended."""
    ended_at: float
    """Wall clock."""
    faulty: Arrived
    other: Arrived
    figures: dict[str, float]

    @property
    def limit_mb(self) -> float:
        return self.base_mb + MEMORY_BYTES / 1e6


def _run(on: Stage, watch: Watch, fault: Fault, secs: float, lengths: Lengths) -> _Run:
    base = settled(on, watch, lengths)
    run_up(on, watch, lengths)
    before = on.writer.tell()
    on.agent.forget_peak()
    watch.begin("fault")
    on.sinks[FAULTY].fault(fault)
    time.sleep(secs)
    after = on.writer.tell(loud_bytes_per_sec=0)
    taken = on.sinks[FAULTY].arrived()
    watch.begin("recovery")
    ended_at = time.time()
    on.sinks[FAULTY].fault(Fault())
    wait_for("the catch-up", _DRAIN_SECS, lambda: unread(on) < _LEFT_BYTES, _ASK_SECS)
    written = drained(on)
    return _Run(
        base, on.agent.peak_rss_mb(), sum(after.rows) - sum(before.rows),
        sum(after.rows) - taken.distinct_ids, ended_at, on.sinks[FAULTY].arrived(),
        on.sinks[OTHER].arrived(), accounts(on, written),
    )  # fmt: skip


def _judged(
    run: _Run, speeds: Sequence[float]
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """(figures, what they may be at most, at least)."""
    speed, first_at = speed_mb(run.faulty, run.backlog_rows, run.ended_at)
    figures = {
        "written_mb": round(megabytes(run.fault_rows), 1),
        "base_rss_mb": round(run.base_mb, 1),
        "peak_rss_mb": round(run.peak_mb, 1),
        "backlog_mb": round(megabytes(run.backlog_rows), 1),
        "resumed_after_secs": round(first_at - run.ended_at, 2),
        "catch_up_mb_per_s": round(speed, 1),
    }
    at_most, at_least = {"peak_rss_mb": round(run.limit_mb, 1)}, {}
    if speeds:
        calibrated = sum(speeds) / len(speeds)
        figures["calibration_mb_per_s"] = round(calibrated, 1)
        figures["catch_up_share"] = round(speed / calibrated, 3)
        at_least["catch_up_share"] = 0.8
    delays = run.other.delays
    for kind, phases in (("loud", ["fault"]), ("quiet", ["fault", "recovery"])):
        usual = delays[f"run-up {kind}"].p99
        figures[f"other_{kind}_p99_before_secs"] = round(usual, 3)
        for phase in phases:
            name = f"other_{kind}_p99_{phase}_secs"
            figures[name] = round(delays[f"{phase} {kind}"].p99, 3)
            at_most[name] = round(1.2 * usual + 0.05, 3)
    return {**figures, **run.figures}, {**at_most, **EXACT}, at_least


EXACT = {"lost": 0, "other_doubled": 0, "unaccounted_rows": 0, "bugs": 0}


def accounts(on: Stage, written: Written) -> dict[str, float]:
    """Every row against what was written, and what the agent says itself."""
    routes = on.status().routes
    lost, doubled = account(on.sinks[FAULTY].arrived(), written)
    figures: dict[str, float] = {"rows": sum(written.rows), "lost": lost, "doubled": doubled}
    if OTHER in routes:
        lost, doubled = account(on.sinks[OTHER].arrived(), written)
        figures |= {"lost": figures["lost"] + lost, "other_doubled": doubled}
    faulty = routes[FAULTY]
    return figures | {
        "losses_told": sum(route.lost_events for route in routes.values()),
        "unaccounted_rows": sum(abs(route.unaccounted_rows) for route in routes.values()),
        "bugs": sum(route.bugs for route in routes.values()),
        "retries": faulty.retries,
        "throttled": faulty.throttled,
        "released_rows": faulty.released_rows,
        "rotations": written.rotations,
    }


def calibration(lengths: Lengths) -> float:
    """MB/s of wall clock: a backlog through the route that gets the fault, and no other."""
    with fresh(Plan(quiet=0), NOTHING) as on:
        rows = on.writer.tell(loud_bytes=lengths.backlog_bytes).rows[0]
        with on.run_agent("calibration", (FAULTY,)), Watch(on):
            drained(on)
            return speed_mb(on.sinks[FAULTY].arrived(), rows)[0]


@contextmanager
def fresh(plan: Plan, options: Mapping[str, object]) -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory(prefix="logship-bench-") as made,
        stage(Path(made), plan, options) as on,
    ):
        yield on


def settled(on: Stage, watch: Watch, lengths: Lengths) -> float:
    """MB of RSS of an agent that has delivered some rows, and now only quiet ones."""
    watch.begin("quiet")
    on.writer.tell(quiet=True)
    time.sleep(lengths.settle_secs)
    return rss_mb(on.agent.pid)


def run_up(on: Stage, watch: Watch, lengths: Lengths) -> None:
    """Loud logs, without a fault: first until they are rotated regularly, then to compare with."""
    watch.begin("warm-up")
    on.writer.tell(loud_bytes_per_sec=lengths.loud_bytes_per_sec)
    time.sleep(lengths.warm_up_secs)
    watch.begin("run-up")
    time.sleep(lengths.run_up_secs)


def unread(on: Stage) -> int:
    return on.status().routes[FAULTY].waiting_bytes


def drained(on: Stage) -> Written:
    """What was written in all, once nothing is under way."""
    written = on.writer.tell(loud_bytes_per_sec=0, quiet=False)
    resting_since = time.monotonic()
    end = resting_since + _DRAIN_SECS
    while (now := time.monotonic()) - resting_since < _REST_SECS:
        if now > end:
            raise RuntimeError(f"in {_DRAIN_SECS:g} s not all was delivered: {on.status()}")
        if not all(route.at_rest for route in on.status().routes.values()):
            resting_since = now
        time.sleep(_ASK_SECS)
    return written
