"""`logship positions`: the saved positions, to look at and to mend by hand.

`show` only reads, also while an agent runs. `forget` takes the agent's own lock for as long as it
works, so that no agent saves over it, and writes the file anew as the agent does: after a crash it
is the old one or the new one.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import orjson

from logship.checkpoint import FILE_NAME
from logship.cli.configuration import read
from logship.cli.table import shown, table
from logship.config import DEFAULT_STATE_DIR
from logship.journal import HEADER, ForeignFile, Key, Loaded, Saved, line, parse
from logship.rows.address import time_text
from logship.world import Disk, Offload

_MAX_BYTES = 256 * 1024 * 1024
_MARKER = ""
"""The origin under which it is saved that a route has run."""


class Unusable(Exception):
    """The positions cannot be read or written; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Positions:
    path: str
    loaded: Loaded

    def chosen(self, route: str | None, origin: str) -> dict[Key, Saved]:
        """Those of a route (None: of all) and of origins that a glob matches, in order."""
        found = {
            key: saved
            for key, saved in self.loaded.positions.items()
            if key.origin != _MARKER
            and route in (None, key.route)
            and fnmatchcase(key.origin, origin)
        }
        return dict(sorted(found.items(), key=lambda item: (item[0].route, item[0].origin)))

    @property
    def damage(self) -> str:
        count = self.loaded.bad_lines
        if not count:
            return ""
        lines = "1 damaged line is" if count == 1 else f"{count} damaged lines are"
        return f"{self.path}: {lines} left out; older positions hold in their place"


def add_arguments(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the saved positions, also while an agent runs")
    forget = actions.add_parser(
        "forget",
        help="forget positions; no agent may run on the state directory",
        description="Forgets positions. The next agent reads these logs again, from the first "
        "byte that is still on the disk; rows keep their ids. Without --yes it only says what it "
        "would forget.",
    )
    for action in (show, forget):
        place = action.add_mutually_exclusive_group()
        place.add_argument("-c", "--config", metavar="FILE", help="take state_dir from this file")
        place.add_argument("--state-dir", metavar="DIR", help=f"default: {DEFAULT_STATE_DIR}")
    show.add_argument("--route", metavar="NAME", help="only of this route")
    show.add_argument("--origin", metavar="GLOB", default="*", help="only of these origins")
    show.add_argument("--json", action="store_true", help="print JSON")
    forget.add_argument("--route", metavar="NAME", required=True)
    forget.add_argument("--origin", metavar="GLOB", required=True, help="`*` matches `/` too")
    forget.add_argument("--yes", action="store_true", help="do it")


def run(options: argparse.Namespace) -> int:
    directory = _state_dir(options)
    if directory is None:
        return 2
    offload = Offload()
    try:
        action = _show if options.action == "show" else _forget
        return action(Disk(offload), directory, options)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        offload.close()


def _state_dir(options: argparse.Namespace) -> str | None:
    if options.config is None:
        return str(options.state_dir or DEFAULT_STATE_DIR)
    written = read(options.config)
    return written.config.state_dir if written else None


def _load(disk: Disk, directory: str) -> Positions:
    path = f"{directory}/{FILE_NAME}"
    try:
        return Positions(path, parse(disk.read_bytes(path, _MAX_BYTES)))
    except FileNotFoundError:
        raise Unusable(
            f"{path}: there is no such file: no agent has saved positions here; say where it does "
            "with -c or --state-dir"
        ) from None
    except (ForeignFile, ValueError):
        raise Unusable(
            f"{path}: not a checkpoint of this version: an agent that starts now sets it aside, and"
            " every route begins at its start_from"
        ) from None
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None


def _show(disk: Disk, directory: str, options: argparse.Namespace) -> int:
    positions = _load(disk, directory)
    chosen = positions.chosen(options.route, options.origin)
    if positions.damage:
        print(positions.damage, file=sys.stderr)
    if options.json:
        listed = [_as_dict(key, saved) for key, saved in chosen.items()]
        print(orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode())
    elif chosen:
        print(_table(chosen))
    else:
        print(_nothing(positions, options))
    return 0


def _forget(disk: Disk, directory: str, options: argparse.Namespace) -> int:
    _load(disk, directory)  # before the lock, which would make its file anywhere
    path = f"{directory}/lock"
    try:
        lock = disk.lock(path)
    except BlockingIOError:
        raise Unusable(f"an agent holds {path}: stop it first; nothing was forgotten") from None
    except OSError as error:
        raise Unusable(f"{path}: cannot be locked: {error.strerror}") from None
    try:
        return _forget_locked(disk, _load(disk, directory), options)
    finally:
        disk.close(lock)


def _forget_locked(disk: Disk, positions: Positions, options: argparse.Namespace) -> int:
    chosen = positions.chosen(options.route, options.origin)
    if positions.damage:
        print(positions.damage, file=sys.stderr)
    if not chosen:
        print(_nothing(positions, options))
        return 0
    print(_table(chosen))
    rest = {k: saved for k, saved in positions.loaded.positions.items() if k not in chosen}
    if options.yes:
        _write(disk, positions.path, rest)
    print(_said(options, len(chosen), rest))
    return 0


def _write(disk: Disk, path: str, positions: Mapping[Key, Saved]) -> None:
    lines = [HEADER, *(line(key, saved) for key, saved in positions.items())]
    try:
        disk.replace(path, b"".join(lines))
    except OSError as error:
        raise Unusable(
            f"{path}: cannot be written: {error.strerror}; nothing was forgotten"
        ) from None


def _said(options: argparse.Namespace, count: int, rest: Mapping[Key, Saved]) -> str:
    positions = "1 position" if count == 1 else f"{count} positions"
    known = any(key.route == options.route for key in rest)
    begin = "from their first byte on" if known else "from its start_from on"
    effect = f"route {options.route} reads these logs again, {begin}"
    if options.yes:
        return f"Forgot {positions}. When an agent starts, {effect}."
    return f"Would forget {positions}: then {effect}. Nothing was changed; add --yes to do it."


def _nothing(positions: Positions, options: argparse.Namespace) -> str:
    known = {key.route for key in positions.loaded.positions}
    if options.route is not None and options.route not in known:
        names = ", ".join(map(shown, sorted(known))) or "none"
        return f"No position of route {shown(options.route)}; the routes here are: {names}"
    route = "" if options.route is None else f" of route {shown(options.route)}"
    return f"No position{route} for an origin that matches {shown(options.origin)}"


def _table(positions: Mapping[Key, Saved]) -> str:
    rows = [
        (
            key.route, key.origin, _whole_secs(saved.position.generation.time_ns),
            str(saved.position.offset), _whole_secs(saved.at_ns),
        )
        for key, saved in positions.items()
    ]  # fmt: skip
    return table(("ROUTE", "ORIGIN", "FILE BEGINS", "OFFSET", "SAVED"), rows, right={3})


def _whole_secs(ns: int) -> str:
    return f"{time_text(ns)[:19]}Z"


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
