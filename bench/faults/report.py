"""Runs the scenarios, prints what they find as soon as they do, writes JSON, and the page.

Everything measured goes to docs/faults/results.json; page and plots are made of that file alone, so
that they can be made again without measuring.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import msgspec

from bench.faults import page, plots
from bench.faults.found import Found, Results
from bench.faults.full_disk import NAME as FULL_DISK
from bench.faults.full_disk import full_disk
from bench.faults.scenarios import SHORT, SPELLS, Lengths, calibration, spell
from bench.faults.storm import STORMS, storm
from bench.gathering import gather
from bench.machine import machine

NAMES = (*(one.name for one in SPELLS), *(one.name for one in STORMS), FULL_DISK)


def run(names: Sequence[str], short: bool, output: Path | None, docs: Path | None) -> int:
    """0; 1 if a bound does not hold, 130 if it was interrupted. No names: nothing is measured."""
    found: list[Found] = []
    try:
        whole = gather(_each(names, SHORT if short else Lengths()), _show, found)
    finally:
        results = Results(machine(), found)
        if output:
            output.write_bytes(_json(results))
    if not whole:
        return 130
    if docs:
        write(docs, results)
    return 1 if any(one.broken for one in found) else 0


def write(docs: Path, results: Results) -> None:
    """The page with its plots and figures. Scenarios that were not run keep their old results."""
    directory = docs / "faults"
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "results.json"
    if file.exists():
        results = _merged(msgspec.json.decode(file.read_bytes(), type=Results), results)
    file.write_bytes(_json(results))
    plots.draw(results, directory)
    (docs / "faults.md").write_text(page.text(results))


def _merged(old: Results, new: Results) -> Results:
    """The new ones in place of the old, but for those of another processor."""
    if not new.scenarios:
        return old
    same = old.machine.get("cpu") == new.machine["cpu"]
    known = {one.name: one for one in old.scenarios if same}
    known |= {one.name: one for one in new.scenarios}
    return Results(new.machine, [known[name] for name in NAMES if name in known])


def _json(results: Results) -> bytes:
    return msgspec.json.format(msgspec.json.encode(results), indent=0) + b"\n"


def _each(names: Sequence[str], lengths: Lengths) -> Iterator[Found]:
    calibrate = partial(calibration, lengths)
    runs: dict[str, Callable[[], Found]] = {FULL_DISK: partial(full_disk, lengths)}
    runs |= {one.name: partial(spell, one, lengths, calibrate) for one in SPELLS}
    runs |= {one.name: partial(storm, one, lengths, calibrate) for one in STORMS}
    for name in NAMES:
        if name in names:
            yield runs[name]()


def _show(one: Found) -> None:
    if one.skipped:
        print(f"{one.name}: skipped: {one.skipped}\n", flush=True)
        return
    mark = "DOES NOT HOLD" if one.broken else "holds"
    print(f"{one.name}: {one.what}  (load {one.load_average})  {mark}")
    for name, value in one.figures.items():
        wanted = one.wanted(name)
        print(f"    {name:32} {value:>12g}{'   wanted ' + wanted if wanted else ''}"
              f"{'  <--' if name in one.broken else ''}")  # fmt: skip
    print(flush=True)
