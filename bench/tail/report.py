"""Runs the parts, prints what they find as soon as they do, and makes the JSON of it."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from bench.gathering import gather
from bench.machine import machine
from bench.tail.parts import PARTS, SHORT, TREE, Found, Lengths, files, fresh

NAMES = (*PARTS, "files")


def run(names: Sequence[str], short: bool, output: Path | None) -> int:
    """0; 1 if a bound does not hold, 130 if it was interrupted."""
    found: list[Found] = []
    try:
        whole = gather(_each(names, SHORT if short else Lengths()), _show, found)
    finally:
        if output:
            output.write_bytes(orjson.dumps(as_json(found), option=orjson.OPT_INDENT_2))
    if not whole:
        return 130
    return 0 if all(one.holds for one in found) else 1


def as_json(found: Sequence[Found]) -> dict[str, object]:
    parts = [{**asdict(one), "holds": one.holds} for one in found]
    return {"machine": machine(), "parts": parts}


def _each(names: Sequence[str], lengths: Lengths) -> Iterator[Found]:
    together = [name for name in PARTS if name in names]
    if together:
        with fresh(TREE, lengths) as on:
            for name in together:
                yield PARTS[name](on, lengths)
    if "files" in names:
        yield from files(lengths)


def _show(one: Found) -> None:
    mark = "" if not one.below else ("  holds" if one.holds else "  DOES NOT HOLD")
    print(f"{one.part:10} {one.what}  (load {one.load_average}){mark}")
    for name, value in one.figures.items():
        bound = one.below.get(name)
        wanted = "" if bound is None else f"   wanted < {bound:g}"
        broken = "  <--" if bound is not None and value >= bound else ""
        print(f"    {name:20} {value:>12g}{wanted}{broken}")
    print(flush=True)
