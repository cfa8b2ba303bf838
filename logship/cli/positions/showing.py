"""`logship positions show`."""

import argparse
import sys
from collections.abc import Mapping

import orjson

from logship.cli.positions.saved import Positions, load, state_dir, whole_secs
from logship.cli.table import shown, table
from logship.journal import Key, Saved
from logship.rows.address import time_text
from logship.world import World


def run(world: World, options: argparse.Namespace) -> int:
    directory = state_dir(options)
    if directory is None:
        return 2
    positions = load(world.disk, directory)
    chosen = positions.chosen(options.route, options.origin)
    if positions.damage:
        print(positions.damage, file=sys.stderr)
    if options.json:
        listed = [_as_dict(key, saved) for key, saved in chosen.items()]
        print(orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode())
    elif chosen:
        print(as_table(chosen))
    else:
        print(none_of(positions, options))
    return 0


def as_table(positions: Mapping[Key, Saved]) -> str:
    rows = [
        (
            key.route, key.origin, whole_secs(saved.position.generation.time_ns),
            str(saved.position.offset), whole_secs(saved.at_ns),
        )
        for key, saved in positions.items()
    ]  # fmt: skip
    return table(("ROUTE", "ORIGIN", "FILE BEGINS", "OFFSET", "SAVED"), rows, right={3})


def none_of(positions: Positions, options: argparse.Namespace) -> str:
    """Why nothing was chosen."""
    known = {key.route for key in positions.loaded.positions}
    if options.route is not None and options.route not in known:
        names = ", ".join(map(shown, sorted(known))) or "none"
        return f"No position of route {shown(options.route)}; the routes here are: {names}"
    route = "" if options.route is None else f" of route {shown(options.route)}"
    return f"No position{route} for an origin that matches {shown(options.origin)}"


def _as_dict(key: Key, saved: Saved) -> dict[str, object]:
    generation, offset = saved.position
    return {
        "route": key.route,
        "origin": key.origin,
        "generation": generation.text(),
        "generation_time": time_text(generation.time_ns),
        "offset": offset,
        "saved_at": time_text(saved.at_ns),
    }
