"""`logship positions import`: begin where fluentd or Fluent Bit stands.

Each log of the configuration is looked at for itself: what the other agent says of its path, or of
an inode that it has, leads to a generation and an offset (`matching`), and back to where the record
begins (`record_start`). What cannot be told is said, with where reading begins instead. A position
that logship has already stays, unless it is told to replace it, so that the command can be
repeated.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logship.cli.configuration import Written, read
from logship.cli.positions import fluent_bit, fluentd
from logship.cli.positions.claims import Claims
from logship.cli.positions.foreign import Stand, together
from logship.cli.positions.logs import Log, followed, logs_of, on_disk, routes_of
from logship.cli.positions.matching import File, Found, Place, place
from logship.cli.positions.record_start import record_start
from logship.cli.positions.saved import (
    MARKER,
    Positions,
    Unusable,
    load_or_begin,
    locked,
    whole_secs,
    write,
)
from logship.cli.table import shown, table
from logship.config import RouteConfig
from logship.journal import Key, Saved
from logship.rows.address import Generation, Position
from logship.tail.follow import Follower
from logship.tail.start import cutoff_ns, start_position
from logship.units import StartFrom
from logship.world import Disk, World

_KEPT = "kept: logship stands there already"
_STARTED = Position(Generation(0, 0), 0)
_MAX_POS_FILE = 64 * 1024 * 1024
_MAX_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a route will begin in a log."""

    key: Key
    position: Position | None
    """None: at the first byte that is there."""
    why: str


def run(world: World, options: argparse.Namespace) -> int:
    written = read(options.config)
    if written is None:
        return 2
    disk, directory = world.disk, written.config.state_dir
    routes = routes_of(written.config, options.route)
    before = load_or_begin(disk, directory)
    if options.if_newer and (reason := _is_older(disk, before.path, options)):
        print(f"{reason}: nothing was imported")
        return 0
    stand = _stand(disk, options)
    if not options.yes:
        return _import(world, options, written, routes, stand, before)
    disk.make_dir(directory)
    with locked(disk, directory, "imported"):
        return _import(world, options, written, routes, stand, load_or_begin(disk, directory))


def _is_older(disk: Disk, checkpoint: str, options: argparse.Namespace) -> str:
    """Why there is nothing to take over; empty: there is."""
    paths = options.fluentd or options.fluent_bit
    written = [stat.mtime_ns for path in paths if (stat := disk.stat(path)) is not None]
    if not written:
        return f"{paths[0]}: there is no such file"
    saved = disk.stat(checkpoint)
    if saved is not None and saved.mtime_ns >= max(written):
        return f"{checkpoint}: logship has saved since {paths[0]} was written"
    return ""


def _stand(disk: Disk, options: argparse.Namespace) -> Stand:
    if options.fluent_bit:
        return together([fluent_bit.read(path) for path in options.fluent_bit])
    return together([_pos_file(disk, path) for path in options.fluentd])


def _pos_file(disk: Disk, path: str) -> Stand:
    try:
        entries, bad = fluentd.parse(disk.read_bytes(path, _MAX_POS_FILE))
    except OSError as error:
        raise Unusable(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise Unusable(f"{path}: larger than {_MAX_POS_FILE} bytes: no pos_file") from None
    if bad and not entries:
        raise Unusable(f"{path}: not a pos_file: no line of it has a path, an offset and an inode")
    stat = disk.stat(path)
    left_out = [f"{path}: {bad} lines that fluentd could not read either"] if bad else []
    return Stand(entries, left_out, stat.mtime_ns if stat else 0)


def _import(
    world: World, options: argparse.Namespace, written: Written, routes: Sequence[RouteConfig],
    stand: Stand, before: Positions,
) -> int:  # fmt: skip
    claims = Claims(stand, world.disk)
    replace = options.replace or options.if_newer
    importer = Importer(world, written, claims, before, replace=replace)
    beginnings = asyncio.run(importer.beginnings(routes))
    _say(beginnings, claims, before)
    if options.yes:
        now_ns = world.clock.wall_ns()
        write(world.disk, before.path, _after(before, routes, beginnings, now_ns), "imported")
    count = sum(1 for one in beginnings if one.position is not None and one.why != _KEPT)
    positions = "1 position" if count == 1 else f"{count} positions"
    if options.yes:
        print(f"Imported {positions}.")
    else:
        print(f"Would import {positions}. Nothing was changed; add --yes to do it.")
    return 0


def _after(
    before: Positions, routes: Sequence[RouteConfig], beginnings: Sequence[Beginning], now_ns: int
) -> Mapping[Key, Saved]:
    """All positions; routes count as having run, so that what they have no position of is new."""
    positions = dict(before.loaded.positions)
    for route in routes:
        positions[Key(route.name, MARKER)] = Saved(_STARTED, now_ns)
    for one in [one for one in beginnings if one.why != _KEPT]:
        if one.position is not None:
            positions[one.key] = Saved(one.position, now_ns)
        else:
            positions.pop(one.key, None)
    return positions


class Importer:
    def __init__(
        self, world: World, written: Written, claims: Claims, before: Positions, *, replace: bool
    ) -> None:
        self._world, self._written, self._claims = world, written, claims
        self._before, self._replace = before.loaded.positions, replace
        self._now_ns = world.clock.wall_ns()

    async def beginnings(self, routes: Sequence[RouteConfig]) -> list[Beginning]:
        config = self._written.config
        by_source: dict[str, list[RouteConfig]] = {}
        for route in routes:
            for source in on_disk(config, route):
                by_source.setdefault(source, []).append(route)
        logs = await logs_of(self._written, list(by_source), self._world)
        return [one for log in logs for one in await self._of_log(log, by_source[log.source])]

    async def _of_log(self, log: Log, routes: Sequence[RouteConfig]) -> list[Beginning]:
        keys = [Key(route.name, log.origin.key) for route in routes]
        saved = [self._before[key].position for key in keys if key in self._before]
        with followed(log, saved, self._world) as follower:
            files = files_of(follower)
            entries = self._claims.of(log, [file.inode for file in files])
            found = place(files, entries, self._claims.written_ns)
            return [
                await self._of_route(key, route, log, follower, found)
                for key, route in zip(keys, routes, strict=True)
            ]

    async def _of_route(
        self, key: Key, route: RouteConfig, log: Log, follower: Follower, found: Place
    ) -> Beginning:
        before = self._before.get(key)
        if before is not None and not self._replace:
            return Beginning(key, before.position, _KEPT)
        if found.found is Found.NO_ENTRY:
            cutoff = cutoff_ns(self._start_from(route, log.source), self._now_ns)
            return Beginning(
                key, await start_position(follower, self._world, cutoff), found.found.value
            )
        if found.found not in (Found.THERE, Found.ROTATED):
            return Beginning(key, None, found.found.value)
        read = follower.generations[found.file]
        offset = record_start(self._world.disk, read.fd, found.offset, log.file.cutting)
        return Beginning(key, Position(read.generation, offset), found.found.value)

    def _start_from(self, route: RouteConfig, source: str) -> StartFrom:
        options = self._written.config.sources[source].options
        own: StartFrom = getattr(options, "start_from", "now")  # it has one: see `on_disk`
        return own if route.start_from is None else route.start_from


def files_of(follower: Follower) -> list[File]:
    return [
        File(log.inode[1], log.size, log.generation.time_ns, log.compressed, log.live)
        for log in follower.generations
    ]


def _say(beginnings: Sequence[Beginning], claims: Claims, before: Positions) -> None:
    if before.damage:
        print(before.damage, file=sys.stderr)
    for words in [*claims.left_out, *claims.unclaimed()][:_MAX_SHOWN]:
        print(shown(words), file=sys.stderr)
    more = len(claims.left_out) + len(claims.unclaimed()) - _MAX_SHOWN
    if more > 0:
        print(f"... and {more} more like these", file=sys.stderr)
    if not beginnings:
        print("The configuration finds no logs on this machine.")
        return
    print(table(("ROUTE", "ORIGIN", "FILE BEGINS", "OFFSET", "WHERE IT BEGINS"), [
        (one.key.route, one.key.origin, *_address(one.position), one.why) for one in beginnings
    ], right={3}))  # fmt: skip
    for why, count in sorted(Counter(one.why for one in beginnings).items()):
        print(f"{count}: {why}")


def _address(position: Position | None) -> tuple[str, str]:
    if position is None:
        return "-", "-"
    return whole_secs(position.generation.time_ns), str(position.offset)
