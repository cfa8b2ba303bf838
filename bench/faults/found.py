"""What a scenario found: figures, the bounds they should keep, and what was held over time."""

import os

import msgspec

from bench.faults.arrivals import Arrived
from bench.faults.watch import Sample
from bench.faults.writer import LINE_BYTES, Written


class Found(msgspec.Struct):
    name: str
    what: str
    figures: dict[str, float]
    at_most: dict[str, float]
    at_least: dict[str, float] = {}
    limit_mb: float = 0.0
    """Of RSS: base and budget."""
    samples: list[Sample] = []
    marks: list[tuple[float, str]] = []
    """When (in seconds) which phase began."""
    load_average: float = 0.0
    skipped: str = ""
    """Why nothing was measured."""

    @property
    def broken(self) -> list[str]:
        """Figures beyond their bound."""
        high = [name for name, bound in self.at_most.items() if self.figures[name] > bound]
        low = [name for name, bound in self.at_least.items() if self.figures[name] < bound]
        return high + low

    def wanted(self, name: str) -> str:
        """The bound of a figure; empty if it has none."""
        if name in self.at_most:
            return f"<= {self.at_most[name]:g}"
        return f">= {self.at_least[name]:g}" if name in self.at_least else ""


def skipped(name: str, why: str) -> Found:
    return Found(name, "", {}, {}, skipped=why)


def load_average() -> float:
    return round(os.getloadavg()[0], 2)


def account(arrived: Arrived, written: Written, kinds: int = 2) -> tuple[int, int]:
    """(rows of the first kinds that did not come, copies that came beside them)."""
    rows = sum(written.rows[:kinds])
    lost = rows - min(arrived.distinct_ids, arrived.distinct_numbers)
    return lost, arrived.rows - arrived.distinct_ids


def megabytes(rows: int) -> float:
    return rows * LINE_BYTES / 1e6


def speed_mb(arrived: Arrived, rows: int, since: float = 0.0) -> tuple[float, float]:
    """(MB/s at which the first so many rows after `since` were taken, when the first came)."""
    later = [(at, count) for at, count in arrived.taken if at >= since]
    if len(later) < 2:
        return 0.0, 0.0
    began, first = later[0]
    taken, ended = 0, began
    for at, count in later[1:]:
        taken, ended = taken + count, at
        if taken >= rows - first:
            break
    return megabytes(taken) / max(ended - began, 0.001), began


class Results(msgspec.Struct):
    """results.json."""

    machine: dict[str, str | int | float]
    scenarios: list[Found]
