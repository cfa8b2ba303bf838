"""Writes lines as container runtimes do, at a pace, with the time they are written: a process.

What is written is a function of the plan, but for the times. The plan comes as JSON on stdin, what
was written goes to stdout as JSON.
"""

import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from bench.lines import SEED, access_line

_TEXTS = 512
_NAP_SECS = 0.001


class Plan(msgspec.Struct, frozen=True):
    """What to write, and how fast."""

    kind: Literal["paced", "full_speed", "appear"]
    paths: list[str]
    secs: float = 0.0
    every_secs: float = 0.02
    """paced: how often each file is written, in turns. appear: how often a file appears."""
    lines: int = 1
    """Of each write."""
    max_bytes: int = 0
    """full_speed: of the one file, in all."""


class Written(msgspec.Struct, frozen=True):
    rows: int
    bytes: int
    secs: float
    late_secs: float
    """How much later than planned a write was, at most: above all the machine's business."""


class Lines:
    """Lines of 201 bytes: texts made before, times of now."""

    def __init__(self) -> None:
        dice = random.Random(SEED)
        self._tails = [f" stdout F {access_line(dice, n)}\n".encode() for n in range(_TEXTS)]
        self._at = 0

    def next(self, count: int) -> bytes:
        now = time.time_ns()
        secs, fraction = divmod(now, 10**9)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(secs)) + f".{fraction:09d}Z"
        start, self._at = self._at, (self._at + count) % _TEXTS
        tails = [self._tails[(start + n) % _TEXTS] for n in range(count)]
        head = stamp.encode()
        return head + head.join(tails)


def write(plan: Plan) -> Written:
    """Carry out the plan; returns when it is done."""
    began = time.monotonic()
    if plan.kind == "full_speed":
        rows, size, late = _full_speed(plan)
    elif plan.kind == "paced":
        rows, size, late = _paced(plan)
    else:
        rows, size, late = _appear(plan)
    return Written(rows, size, time.monotonic() - began, late)


def _paced(plan: Plan) -> tuple[int, int, float]:
    lines, size, late = Lines(), 0, 0.0
    fds = [os.open(path, os.O_WRONLY | os.O_APPEND) for path in plan.paths]
    step = plan.every_secs / len(fds)
    writes = round(plan.secs / step)
    began = time.monotonic()
    for number in range(writes):
        late = max(late, _wait_until(began + number * step))
        size += os.write(fds[number % len(fds)], lines.next(plan.lines))
    _close(fds)
    return writes * plan.lines, size, late


def _full_speed(plan: Plan) -> tuple[int, int, float]:
    lines, size, rows = Lines(), 0, 0
    fd = os.open(plan.paths[0], os.O_WRONLY | os.O_APPEND)
    while size < plan.max_bytes:
        size += os.write(fd, lines.next(plan.lines))
        rows += plan.lines
    _close([fd])
    return rows, size, 0.0


def _appear(plan: Plan) -> tuple[int, int, float]:
    """Each file with its directories and first lines, whose time is that before they were made."""
    lines, size, late = Lines(), 0, 0.0
    began = time.monotonic()
    for number, path in enumerate(plan.paths):
        late = max(late, _wait_until(began + number * plan.every_secs))
        content = lines.next(plan.lines)
        os.makedirs(os.path.dirname(path))
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        size += os.write(fd, content)
        _close([fd])
    return len(plan.paths) * plan.lines, size, late


def _wait_until(due: float) -> float:
    """How late it is already."""
    while (left := due - time.monotonic()) > 0:
        time.sleep(max(left, _NAP_SECS))
    return -left


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(write(plan)))


if __name__ == "__main__":
    main()
