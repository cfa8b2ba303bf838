"""The lines of the checkpoint file, as text. No I/O here.

    logship positions 1
    <crc32, 8 hex> <JSON: {"route", "origin", "generation", "offset", "at",
                           "settled", "unsettled", "later", "namespace"}>
    <crc32, 8 hex> <JSON: {"route", "origin", "forget": true}>

`settled` and what follows it are `loss.Following`: what was known to come after the position.
Files of agents that did not write them are read all the same.

A later line about the same route and origin replaces an earlier one. A line whose checksum is wrong
is left out; after a crash this can only be the last one.
"""

from dataclasses import dataclass
from zlib import crc32

import msgspec

from logship.rows.address import Generation, Position
from logship.tail.loss import NOTHING_KNOWN, Following

HEADER = b"logship positions 1\n"


@dataclass(frozen=True, slots=True)
class Key:
    route: str
    origin: str


@dataclass(frozen=True, slots=True)
class Saved:
    position: Position
    at_ns: int
    """When it was saved; wall clock."""
    following: Following = NOTHING_KNOWN


class _Entry(msgspec.Struct, omit_defaults=True):
    route: str
    origin: str
    generation: str = ""
    offset: int = 0
    at: int = 0
    forget: bool = False
    settled: int = 0
    unsettled: int = 0
    later: tuple[tuple[str, int, bool], ...] = ()
    namespace: str = ""

    @property
    def following(self) -> Following:
        later = tuple((Generation.parse(text), size, final) for text, size, final in self.later)
        return Following(self.settled, self.unsettled, later, self.namespace)


@dataclass(frozen=True, slots=True)
class Loaded:
    positions: dict[Key, Saved]
    bad_lines: int
    whole_bytes: int
    """Up to the end of the last whole line that is right."""


class ForeignFile(Exception):
    """Not a checkpoint, or one of another version."""


def line(key: Key, saved: Saved | None) -> bytes:
    """The line that saves a position; None: that forgets it."""
    entry = _Entry(key.route, key.origin, forget=True)
    if saved is not None:
        generation, offset = saved.position
        known = saved.following
        later = tuple((then.text(), size, final) for then, size, final in known.later)
        entry = _Entry(
            key.route, key.origin, generation.text(), offset, saved.at_ns,
            settled=known.settled_ns, unsettled=known.unsettled, later=later,
            namespace=known.namespace,
        )  # fmt: skip
    text = msgspec.json.encode(entry)
    return b"%08x %s\n" % (crc32(text), text)


def parse(content: bytes) -> Loaded:
    """What a checkpoint file says. Raises ForeignFile."""
    if not content.startswith(HEADER):
        raise ForeignFile
    positions: dict[Key, Saved] = {}
    bad, at, whole = 0, len(HEADER), len(HEADER)
    for text in content[len(HEADER) :].splitlines(keepends=True):
        at += len(text)
        entry = _parse_line(text)
        if entry is None:
            bad += 1
            continue
        whole = at
        key, saved = entry
        positions.pop(key, None)
        if saved is not None:
            positions[key] = saved
    return Loaded(positions, bad, whole)


def _parse_line(text: bytes) -> tuple[Key, Saved | None] | None:
    if not text.endswith(b"\n") or text[8:9] != b" " or text[:8] != b"%08x" % crc32(text[9:-1]):
        return None
    try:
        entry = msgspec.json.decode(text[9:-1], type=_Entry)
        key = Key(entry.route, entry.origin)
        if entry.forget:
            return key, None
        position = Position(Generation.parse(entry.generation), entry.offset)
        return key, Saved(position, entry.at, entry.following)
    except (msgspec.DecodeError, ValueError):
        return None
