"""`logship positions export`: write where logship stands, for fluentd or Fluent Bit to go on from.

Both know of a log only its live file. Where logship stands in a rotated one, what it has not
delivered of that is said, and the other agent begins at the first byte of the live file. Where
routes stand at different places in a log, the earliest counts: rows come twice rather than never. A
log that has appeared since logship ended is to be read from its first byte.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from logship.checkpoint import FILE_NAME
from logship.cli.configuration import Written, read
from logship.cli.positions import fluent_bit, fluentd
from logship.cli.positions.foreign import Entry
from logship.cli.positions.logs import Log, followed, logs_of, on_disk, routes_of
from logship.cli.positions.saved import Positions, Unusable, load, locked
from logship.cli.table import shown, table
from logship.config import RouteConfig
from logship.journal import Key
from logship.rows.address import Position
from logship.tail.follow import Follower
from logship.world import Disk, World

_MAX_POS_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Export:
    entry: Entry
    undelivered: int | None = 0
    """Bytes of older files that logship has not delivered; None: nobody knows how many."""


def run(world: World, options: argparse.Namespace) -> int:
    written = read(options.config)
    if written is None:
        return 2
    directory = written.config.state_dir
    routes = routes_of(written.config, options.route)
    if options.if_newer and (reason := _is_older(world.disk, directory, options)):
        print(f"{reason}: nothing was exported")
        return 0
    load(world.disk, directory)  # before the lock, which would make its file anywhere
    if not options.yes:
        return _export(world, options, written, routes)
    with locked(world.disk, directory, "exported"):
        return _export(world, options, written, routes)


def _is_older(disk: Disk, directory: str, options: argparse.Namespace) -> str:
    """Why there is nothing to hand over; empty: there is."""
    checkpoint, path = f"{directory}/{FILE_NAME}", options.fluentd or options.fluent_bit
    saved, theirs = disk.stat(checkpoint), disk.stat(path)
    if saved is None:
        return f"{checkpoint}: there is no such file"
    if theirs is not None and theirs.mtime_ns >= saved.mtime_ns:
        return f"{path} was written since logship saved"
    return ""


def _export(
    world: World, options: argparse.Namespace, written: Written, routes: Sequence[RouteConfig]
) -> int:
    positions = load(world.disk, written.config.state_dir)
    if positions.damage:
        print(positions.damage, file=sys.stderr)
    exports = asyncio.run(_exports(world, written, routes, positions, options.links))
    writable = fluentd.writable if options.fluentd else fluent_bit.writable
    for one in [one for one in exports if not writable(one.entry.path)]:
        print(f"{shown(one.entry.path)}: cannot be written there", file=sys.stderr)
        exports.remove(one)
    _say(exports, options)
    entries = [one.entry for one in exports]
    logs = "1 log" if len(entries) == 1 else f"{len(entries)} logs"
    path = options.fluentd or options.fluent_bit
    if not options.yes:
        print(f"Would write {logs} to {path}. Nothing was changed; add --yes to do it.")
        return 0
    if options.fluentd:
        _write_pos_file(world.disk, path, entries)
    else:
        fluent_bit.write(path, entries, world.clock.wall_ns() // 1_000_000_000)
    print(f"Wrote {logs} to {path}.")
    return 0


async def _exports(
    world: World, written: Written, routes: Sequence[RouteConfig], positions: Positions,
    links: str,
) -> list[Export]:  # fmt: skip
    config = written.config
    sources = list(dict.fromkeys(name for route in routes for name in on_disk(config, route)))
    logs = await logs_of(written, sources, world)
    named = _links(world.disk, links)
    journal = world.disk.stat(positions.path)
    saved_ns = journal.mtime_ns if journal else 0
    found = [_of_log(world, log, _stands(log, routes, positions), named, saved_ns) for log in logs]
    return [export for export in found if export is not None]


def _stands(log: Log, routes: Sequence[RouteConfig], positions: Positions) -> list[Position]:
    saved = positions.loaded.positions
    stands = []
    for route in routes:
        names = [name for name in (route.name, route.was) if name is not None]
        keys = [Key(name, log.origin.key) for name in names]
        stands += [saved[key].position for key in keys if key in saved][:1]
    return stands


def _links(disk: Disk, directory: str) -> dict[str, str]:
    """What links in the directory lead to, and their names."""
    paths = [f"{directory}/{e.name}" for e in disk.scan(directory) if e.is_link]
    return {disk.realpath(path): path for path in sorted(paths, reverse=True)}


def _of_log(
    world: World, log: Log, stands: Sequence[Position], named: dict[str, str], saved_ns: int
) -> Export | None:
    """None: logship does not read it, or its live file is gone."""
    path = f"{log.file.directory}/{log.file.name}"
    path = named.get(world.disk.realpath(path), path)
    stat = world.disk.stat(path)
    if stat is None:
        return None
    with followed(log, stands, world) as follower:
        if not stands:
            logs = follower.generations
            new = bool(logs) and logs[0].generation.time_ns > saved_ns
            return Export(Entry(path, stat.inode, 0)) if new else None
        at = stands[0]
        for other in stands[1:]:
            at = other if follower.generations.precedes(other, at) else at
        read = follower.find(at.generation)
        if read is not None and read.live:
            return Export(Entry(path, read.inode[1], min(at.offset, read.size)))
        return Export(Entry(path, stat.inode, 0), _undelivered(follower, at))


def _undelivered(follower: Follower, at: Position) -> int | None:
    """Bytes after the position in files that are not live."""
    if follower.find(at.generation) is None:
        return None
    older = [log for log in follower.generations.since(at.generation) if not log.live]
    return max(0, sum(log.size for log in older) - at.offset)


def _say(exports: Sequence[Export], options: argparse.Namespace) -> None:
    if not exports:
        print("logship stands in no log that is there.")
        return
    print(table(("PATH", "INODE", "OFFSET"), [
        (one.entry.path, str(one.entry.inode), str(one.entry.offset)) for one in exports
    ], right={1, 2}))  # fmt: skip
    for one in exports:
        if one.undelivered != 0:
            count = "an unknown number of" if one.undelivered is None else one.undelivered
            said = f"{one.entry.path}: {count} bytes of rotated files are left to nobody"
            print(f"{shown(said)}: logship has not delivered them", file=sys.stderr)
    zeros = sum(1 for one in exports if one.entry.offset == 0)
    if zeros and options.fluent_bit:
        print(
            f"{zeros} at offset 0: there Fluent Bit begins at the END of the file, unless its "
            "input says `Read_from_Head On`", file=sys.stderr,
        )  # fmt: skip


def _write_pos_file(disk: Disk, path: str, entries: Sequence[Entry]) -> None:
    """In place: the file keeps its owner and mode, as fluentd needs them."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with open(fd, "r+b") as file:
            content = fluentd.merged(file.read(_MAX_POS_FILE), entries)
            file.seek(0)
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unusable(f"{path}: cannot be written: {error.strerror}") from None
