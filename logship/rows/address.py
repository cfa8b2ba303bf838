"""What a row is called: origin, generation, offset, and the id made of the three.

An address is derived from content, never from names, inodes or clocks, so that two readers without
a checkpoint, of the plain file or of its `.gz`, give a row the same id. Generations of an origin
order by the time of their first row; ids order as addresses do.

    id = <origin: 12 hex><generation time, ns: 16 hex><digest: 8 hex><offset: 12 hex>
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from logship.rows import kernel

OFFSET_BITS = 48
ID_CHARS = 48


class Generation(NamedTuple):
    """One physical file of an origin, named by its content. Orders by time, then digest."""

    time_ns: int
    digest: int
    """32 bits of a hash of the first line (at most `HEAD_BYTES` of it)."""

    def text(self) -> str:
        return f"{self.time_ns:016x}{self.digest:08x}"

    @classmethod
    def parse(cls, text: str) -> "Generation":
        if len(text) != 24:
            raise ValueError(f"a generation is 24 hex digits, not {text!r}")
        return cls(int(text[:16], 16), int(text[16:], 16))


class Position(NamedTuple):
    """A place in an origin. Orders as its rows were written."""

    generation: Generation
    offset: int
    """In uncompressed bytes from the start of the generation."""


class Span(NamedTuple):
    """The bytes [start, end) of one generation."""

    generation: Generation
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same bytes; a span that goes on where the one before it ends is one with it."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].end == span.start and found[-1].generation == span.generation:
            span = found.pop()._replace(end=span.end)
        found.append(span)
    return found


@dataclass(frozen=True, slots=True)
class Mark:
    """What is unusual about a row: it becomes a label at the destination, and is counted."""

    malformed: bool = False
    """Not a line of the runtime's format: delivered whole, with the generation's time."""
    unfinished: bool = False
    """Closed without its end: by exit, removal, timeout or a limit on bytes."""
    cut: bool = False
    """One part of a line that was longer than `max_row_bytes`."""

    def names(self) -> list[str]:
        """Those that hold."""
        return [name for name in ("malformed", "unfinished", "cut") if getattr(self, name)]


PLAIN = Mark()


def origin_digest(key: str) -> str:
    """12 hex digits for an origin key such as `cluster/uid/container/0`."""
    return blake2b(key.encode(), digest_size=6).hexdigest()


def line_digest(first_line: bytes) -> int:
    return int.from_bytes(blake2b(first_line, digest_size=4).digest())


def time_ns(text: str) -> int:
    """Nanoseconds since 1970 of an RFC 3339 time with 0-9 fraction digits.

    Raises ValueError when it is none. containerd cuts trailing zeros and may write an offset other
    than Z; conmon always writes nine digits and a numeric offset.
    """
    head, _, rest = text.partition(".")
    fraction, zone = "", rest
    if rest:
        digits = len(rest) - len(rest.lstrip("0123456789"))
        fraction, zone = rest[:digits], rest[digits:]
        head += zone
    if len(fraction) > 9:
        raise ValueError(f"more than nine fraction digits in {text!r}")
    whole = datetime.fromisoformat(head)
    if whole.tzinfo is None:
        raise ValueError(f"no zone in {text!r}")
    seconds = int((whole - _EPOCH).total_seconds())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def id_prefix(origin: str, generation: Generation) -> str:
    """The part of an id that all rows of a generation share (32 of 48 digits).

    The last 16 digits, `id_tails`, hold the low half of the digest and the offset.
    """
    return f"{origin}{generation.time_ns & (2**64 - 1):016x}{generation.digest >> 16:04x}"


def id_low(generation: Generation) -> int:
    """What the last 16 digits of an id say beside the offset."""
    return (generation.digest & 0xFFFF) << OFFSET_BITS


def id_tails(generation: Generation, offsets: Sequence[int]) -> Sequence[bytes]:
    """Per row the last 16 digits of its id, made by a few calls into C."""
    low = id_low(generation)
    if (tails := kernel.id_tails(offsets, low)) is not None:
        return _sixteens(len(offsets)).unpack(tails)
    words = _big_endian(map(low.__add__, offsets))
    return _sixteens(len(offsets)).unpack(words.hex().encode())


def ids_of(prefix: str, generation: Generation, offsets: Sequence[int]) -> list[str]:
    """Per row its whole id: `id_prefix` and `id_tails`, by a few calls into C."""
    if not offsets:
        return []
    if max(offsets) >> OFFSET_BITS:  # a log of 256 TiB
        return [prefix + tail.decode() for tail in id_tails(generation, offsets)]
    prefix += f"{generation.digest & 0xFFFF:04x}"  # in place of the zeros before the offset
    tails = _big_endian(offsets).hex("\n", 8)
    return (prefix + tails[4:].replace("\n0000", "\n" + prefix)).split("\n")


def _big_endian(numbers: Iterable[int]) -> bytes:
    words = array("Q", numbers)
    if sys.byteorder == "little":
        words.byteswap()
    return words.tobytes()


@lru_cache(maxsize=256)
def _sixteens(count: int) -> struct.Struct:
    return struct.Struct("16s" * count)


def row_id(origin: str, generation: Generation, offset: int) -> str:
    """The id of one row; `id_prefix` + `id_tails` are the same for many."""
    return id_prefix(origin, generation) + id_tails(generation, [offset])[0].decode()


def time_text(ns: int) -> str:
    """RFC 3339 in UTC with nine fraction digits."""
    seconds, nanos = divmod(ns, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{whole}.{nanos:09d}Z"
