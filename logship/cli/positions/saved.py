"""The checkpoint of a state directory, read at any time, changed only while no agent runs on it."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from logship.checkpoint import FILE_NAME
from logship.cli.configuration import read
from logship.config import DEFAULT_STATE_DIR
from logship.journal import HEADER, ForeignFile, Key, Loaded, Saved, line, parse
from logship.rows.address import time_text
from logship.world import Disk

_MAX_BYTES = 256 * 1024 * 1024
MARKER = ""
"""The origin under which it is saved that a route has run."""


class Unusable(Exception):
    """The command cannot go on; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Positions:
    path: str
    loaded: Loaded

    def chosen(self, route: str | None, origin: str) -> dict[Key, Saved]:
        """Those of a route (None: of all) and of origins that a glob matches, in order."""
        found = {
            key: saved
            for key, saved in self.loaded.positions.items()
            if key.origin != MARKER
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


def state_dir(options: argparse.Namespace) -> str | None:
    """Of --state-dir or the configuration; None after its problems were printed."""
    if options.config is None:
        return str(options.state_dir or DEFAULT_STATE_DIR)
    written = read(options.config)
    return written.config.state_dir if written else None


def load(disk: Disk, directory: str) -> Positions:
    """Raises Unusable."""
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


def load_or_begin(disk: Disk, directory: str) -> Positions:
    """The same, and nothing where no agent has saved anything yet."""
    path = f"{directory}/{FILE_NAME}"
    if disk.stat(path) is None:
        return Positions(path, Loaded({}, 0, 0))
    return load(disk, directory)


@contextmanager
def locked(disk: Disk, directory: str, nothing: str) -> Iterator[None]:
    """While no agent runs. `nothing`: what has not been done if one does. Raises Unusable."""
    path = f"{directory}/lock"
    try:
        lock = disk.lock(path)
    except BlockingIOError:
        raise Unusable(f"an agent holds {path}: stop it first; nothing was {nothing}") from None
    except OSError as error:
        raise Unusable(f"{path}: cannot be locked: {error.strerror}") from None
    try:
        yield
    finally:
        disk.close(lock)


def write(disk: Disk, path: str, positions: Mapping[Key, Saved], nothing: str) -> None:
    """Raises Unusable."""
    lines = [HEADER, *(line(key, saved) for key, saved in positions.items())]
    try:
        disk.replace(path, b"".join(lines))
    except OSError as error:
        raise Unusable(
            f"{path}: cannot be written: {error.strerror}; nothing was {nothing}"
        ) from None


def whole_secs(ns: int) -> str:
    return f"{time_text(ns)[:19]}Z"
