"""The short form, for every push: at most a minute, and an exit code.

It compares ratios within one call with `thresholds.toml`, never an absolute time, so that a slow or
a busy machine does not fail it. Of each path the best run counts: noise only ever adds CPU. Whole
processes tell losses and what is far off; stages are steadier, so they have narrower bounds.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import micro
from bench.plan import Group, Session
from bench.throughput import Row
from logship.rows import kernel

FILE = Path(__file__).with_name("thresholds.toml")
MB, RUNS = 150, 2
_ROUNDS = 9
Thresholds = Mapping[str, Mapping[str, float]]


class Check(NamedTuple):
    """A ratio and what bounds it."""

    name: str
    ratio: float
    bound: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bound if self.at_most else self.ratio >= self.bound

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        mark = "ok" if self.holds else "REGRESSION"
        return f"{self.name:52} {self.ratio:7.2f}   wanted {sign} {self.bound:g}   {mark}"


def thresholds() -> Thresholds:
    return tomllib.loads(FILE.read_text())


def groups(wanted: Thresholds) -> list[Group]:
    kind = kernel.in_use()
    found = [
        Group("A", 20, tuple(wanted["share_of_calibration"]), kind),
        Group("B", 20, tuple(wanted["share_of_calibration_b"]), kind),
        Group("A", 1, tuple(wanted["files_cost"]), kind),
        Group("A", 200, tuple(wanted["files_cost"]), kind),
    ]
    if kind == "compiled":
        found.append(Group("A", 20, tuple(wanted["compiled_over_pure"]), "pure"))
    return found


def checks(
    rows: Sequence[Row], limits: Mapping[str, Mapping[str, float]], wanted: Thresholds
) -> Iterator[Check]:
    """Every ratio that the rows allow. Thresholds are of the compiled kernel."""
    speed = {(r.path, r.workload, r.files, r.kernel): r.mb_per_cpu_s_running for r in rows}
    whole = {(r.path, r.files): r.mb_per_cpu_s for r in rows if r.workload == "A"}
    kind = "compiled"
    for section, workload in (("share_of_calibration", "A"), ("share_of_calibration_b", "B")):
        for path, bound in wanted[section].items():
            if (found := speed.get((path, workload, 20, kind))) is not None:
                share = found / limits[workload]["calibrate"]
                yield Check(f"{workload} -> {path}, of the calibration", share, bound)
    for path, bound in wanted["files_cost"].items():  # a start is part of both
        one, many = whole.get((path, 1)), whole.get((path, 200))
        if one and many:
            yield Check(f"A -> {path}, cost of 200 files over 1", one / many, bound, True)
    for path, bound in wanted["compiled_over_pure"].items():
        fast, slow = speed.get((path, "A", 20, "compiled")), speed.get((path, "A", 20, "pure"))
        if fast and slow:
            yield Check(f"A -> {path}, compiled over pure", fast / slow, bound)
    losses = sum(abs(row.lost) + row.doubled for row in rows)
    yield Check("rows lost or doubled", float(losses), 0.0, True)


def stage_checks(found: micro.Found, wanted: Thresholds) -> Iterator[Check]:
    """Of the compiled kernel, ns a row over those of the calibration."""
    whole = found["calibrate"]["compiled"]
    for stage, bound in wanted["stage_of_calibration"].items():
        if stage in found:
            share = found[stage]["compiled"] / whole
            yield Check(f"stage {stage}, over the calibration", share, bound, True)


def run(session: Session) -> int:
    """0, or 1 if a ratio is out of its bounds."""
    wanted = thresholds()
    session.mb, session.runs = MB, RUNS
    session.measure(groups(wanted))
    found = list(checks(session.rows, session.limits, wanted))
    if kernel.BUILT:
        stages = micro.measure(rounds=_ROUNDS, kinds=("compiled",))
        found += stage_checks(stages, wanted)
    print()
    for check in found:
        print(check)
    return 0 if all(check.holds for check in found) else 1
