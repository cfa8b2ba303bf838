"""A share of requests is refused by 429: what throughput is left, of a backlog that is read."""

import time
from collections.abc import Callable
from typing import NamedTuple

from bench.faults.found import Found, load_average, megabytes
from bench.faults.scenarios import (
    NOTHING,
    Lengths,
    accounts,
    drained,
    fresh,
    settled,
    unread,
)
from bench.faults.sink import Fault
from bench.faults.stage import FAULTY, MEMORY_BYTES
from bench.faults.watch import Watch
from bench.faults.writer import Plan

SHARE = 0.3


class Storm(NamedTuple):
    name: str
    what: str
    fault: Fault


STORMS = (
    Storm(
        "storm",
        "30 % of requests are answered by 429, at random, without Retry-After",
        Fault("throttle", SHARE),
    ),
    Storm(
        "storm_retry_after",
        "the same with `Retry-After: 1`",
        Fault("throttle", SHARE, 1),
    ),
)


def storm(one: Storm, lengths: Lengths, calibrate: Callable[[], float]) -> Found:
    """Throughput while the storm goes on and there always is something to read."""
    speeds = [calibrate()]
    with (
        fresh(Plan(max_files=50), NOTHING) as on,
        on.run_agent("agent", (FAULTY,)),
        Watch(on) as watch,
    ):
        base = settled(on, watch, lengths)
        on.agent.forget_peak()
        watch.begin("fault")
        on.sinks[FAULTY].fault(one.fault)
        began, before = time.monotonic(), on.sinks[FAULTY].arrived()
        while time.monotonic() - began < lengths.spell_secs:
            if unread(on) < lengths.backlog_bytes // 2:
                on.writer.tell(loud_bytes=lengths.backlog_bytes // 2)
            time.sleep(0.2)
        secs, taken = time.monotonic() - began, on.sinks[FAULTY].arrived()
        watch.begin("recovery")
        on.sinks[FAULTY].fault(Fault())
        written = drained(on)
        peak, figures = on.agent.peak_rss_mb(), accounts(on, written)
    calibrated = (speeds[0] + calibrate()) / 2
    speed = megabytes(taken.rows - before.rows) / secs
    tries = len(taken.taken) - len(before.taken) + taken.refused_requests
    limit = base + MEMORY_BYTES / 1e6
    return Found(
        one.name, one.what,
        {
            "base_rss_mb": round(base, 1),
            "peak_rss_mb": round(peak, 1),
            "mb_per_s": round(speed, 2),
            "calibration_mb_per_s": round(calibrated, 1),
            "share_of_calibration": round(speed / calibrated, 3),
            "requests": tries,
            "refused_requests": taken.refused_requests,
            **figures,
        },
        {"peak_rss_mb": round(limit, 1), "lost": 0, "unaccounted_rows": 0, "bugs": 0},
        {}, limit, watch.samples, watch.marks, load_average(),
    )  # fmt: skip
