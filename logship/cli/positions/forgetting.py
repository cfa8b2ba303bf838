"""`logship positions forget`."""

import argparse
import sys
from collections.abc import Mapping

from logship.cli.positions.saved import Positions, load, locked, state_dir, write
from logship.cli.positions.showing import as_table, none_of
from logship.journal import Key, Saved
from logship.world import Disk, World


def run(world: World, options: argparse.Namespace) -> int:
    directory = state_dir(options)
    if directory is None:
        return 2
    load(world.disk, directory)  # before the lock, which would make its file anywhere
    with locked(world.disk, directory, "forgotten"):
        return _forget(world.disk, load(world.disk, directory), options)


def _forget(disk: Disk, positions: Positions, options: argparse.Namespace) -> int:
    chosen = positions.chosen(options.route, options.origin)
    if positions.damage:
        print(positions.damage, file=sys.stderr)
    if not chosen:
        print(none_of(positions, options))
        return 0
    print(as_table(chosen))
    rest = {k: saved for k, saved in positions.loaded.positions.items() if k not in chosen}
    if options.yes:
        write(disk, positions.path, rest, "forgotten")
    print(_said(options, len(chosen), rest))
    return 0


def _said(options: argparse.Namespace, count: int, rest: Mapping[Key, Saved]) -> str:
    positions = "1 position" if count == 1 else f"{count} positions"
    known = any(key.route == options.route for key in rest)
    begin = "from their first byte on" if known else "from its start_from on"
    effect = f"route {options.route} reads these logs again, {begin}"
    if options.yes:
        return f"Forgot {positions}. When an agent starts, {effect}."
    return f"Would forget {positions}: then {effect}. Nothing was changed; add --yes to do it."
