"""Runs seeds: `python -m tests.simulation --seeds 2000 --from 0` (or `make simulate`).

A seed that fails is printed with its scenario, the end of its trace, and how to run it alone. Every
`TWICE`th seed is run twice: a trace that is not the same again is a failure too.
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from types import FrameType

from tests.simulation.scenario import scenario
from tests.simulation.simulation import Result, run

TWICE = 20
SEED_SECS = 60
"""Of processor time; a seed takes a tenth of a second."""
_CHUNK = 10
_SHOWN = 3


class _TooLong(SystemExit):
    """The agent does not come back from a step."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise _TooLong(f"a step that does not end, in {frame}")


def run_seed(seed: int, keep: int = 60) -> Result:
    plan = scenario(seed)
    signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, SEED_SECS)
    try:
        found = run(plan, keep=keep)
        if seed % TWICE == 0 and not found.problems and run(plan).digest != found.digest:
            problem = "another trace when it was run again"
            return Result(seed, (problem,), found.digest, found.trace)
        return found
    except (Exception, _TooLong) as error:
        return Result(seed, (f"the simulation ended: {error!r}",))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def report(result: Result) -> str:
    return "\n".join((
        f"seed {result.seed} fails:",
        *(f"  {problem}" for problem in result.problems),
        "the scenario:", scenario(result.seed).text(),
        "the end of its trace:", *(f"  {line}" for line in result.trace),
        f"again: make simulate SEEDS=1 FROM={result.seed}", "",
    ))  # fmt: skip


def main() -> int:
    options = _options()
    began, failed, counted = time.monotonic(), 0, Counter[str]()
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.jobs) as pool:
        for result in pool.map(run_seed, seeds, chunksize=_CHUNK):
            counted.update(dict(result.counted))
            if result.problems:
                failed += 1
                known = failed > _SHOWN
                print(f"seed {result.seed}: {result.problems[0]}" if known else report(result))
                sys.stdout.flush()
            if failed and options.first_only:
                pool.shutdown(cancel_futures=True)
                break
    print(
        f"{options.seeds} seeds from {options.first}: {failed} failed,"
        f" {time.monotonic() - began:.0f} s; {_summary(counted)}"
    )
    return 1 if failed else 0


def _summary(counted: Counter[str]) -> str:
    names = ("rows", "copies", "write", "release", "kill", "stop", "kubelet", "steps", "shed")
    return ", ".join(f"{name} {counted[name]:,}" for name in names)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--first-only", action="store_true", help="stop at the first failure")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
