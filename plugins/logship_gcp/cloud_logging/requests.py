"""Entries into requests, packed by exact size.

A part is the encoded entries of a stretch of a batch's rows. It knows how large it is, so packing
is adding; only a part that is too large alone, or a request that Cloud Logging refused as a whole,
is taken apart into single entries again (from its bytes: the columns may be gone by then).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

_HEAD, _ENTRIES, _TAIL = b'{"partialSuccess":true,', b'"entries":[', b"]}"
_OVERHEAD = len(_HEAD) + len(_ENTRIES) + len(_TAIL) + 1
_OF_ORIGIN = ("logName", "resource", "labels")
_RAW_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RAW_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])


class Part(NamedTuple):
    batch: int
    """Index into the batches of the write."""
    rows: Sequence[int]
    """Of that batch, the row of each entry; a row that is too large has several."""
    body: bytes
    """The entries, separated by commas."""


@dataclass(frozen=True, slots=True)
class Request:
    defaults: bytes
    """Members of the request that hold for all entries; may be empty."""
    parts: Sequence[Part]

    @property
    def size(self) -> int:
        return _size(self.defaults) + sum(len(part.body) + 1 for part in self.parts)

    def __len__(self) -> int:
        """Entries."""
        return sum(len(part.rows) for part in self.parts)

    def pieces(self) -> list[bytes]:
        """The body, not copied together: it goes out piece by piece."""
        defaults = self.defaults + b"," if self.defaults else b""
        pieces = [b",", b""] * len(self.parts)
        pieces[1::2] = [part.body for part in self.parts]
        pieces[0] = _HEAD + defaults + _ENTRIES
        return [*pieces, _TAIL]

    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.pieces())

    def row(self, entry: int) -> tuple[int, int]:
        """(batch, row) of an entry."""
        for part in self.parts:
            if entry < len(part.rows):
                return part.batch, part.rows[entry]
            entry -= len(part.rows)
        raise IndexError(f"the request has no entry {entry} more")

    def halves(self) -> tuple["Request", "Request"]:
        """Of about as many entries each; the request has at least two."""
        left: list[Part] = []
        wanted = len(self) // 2
        for number, part in enumerate(self.parts):
            if len(part.rows) > wanted:
                first, second = _divide(part, wanted) if wanted else ([], [part])
                rest = [*second, *self.parts[number + 1 :]]
                return Request(self.defaults, [*left, *first]), Request(self.defaults, rest)
            left.append(part)
            wanted -= len(part.rows)
        raise ValueError("a request of one entry has no halves")

    def probe(self) -> bytes:
        """A request that writes nothing, with all that the first entry says about its origin."""
        defaults = self.defaults + b"," if self.defaults else b""
        first = _RAW_MEMBERS.decode(_entries_of(self.parts[0])[0])
        entry = {name: first[name] for name in _OF_ORIGIN if name in first}
        asked = msgspec.json.encode(entry | {"textPayload": "logship"})
        return b'{"dryRun":true,' + defaults + b'"entries":[' + asked + b"]}"


def _size(defaults: bytes) -> int:
    return _OVERHEAD + len(defaults)


def pack(parts: Iterable[Part], defaults: bytes, max_bytes: int) -> list[Request]:
    """Requests of at most `max_bytes` (more only for an entry that is larger alone)."""
    requests: list[Request] = []
    room, taken = max_bytes - _size(defaults), list[Part]()
    left = room
    for part in _small_enough(parts, room):
        size = len(part.body) + 1
        if size > left and taken:
            requests.append(Request(defaults, taken))
            taken, left = [], room
        taken.append(part)
        left -= size
    return [*requests, Request(defaults, taken)] if taken else requests


def _small_enough(parts: Iterable[Part], room: int) -> Iterator[Part]:
    for part in parts:
        if not part.rows:
            continue
        if len(part.body) + 1 <= room or len(part.rows) == 1:
            yield part
        else:
            yield from _small_enough(_chopped(part, room), room)


def _chopped(part: Part, room: int) -> Iterator[Part]:
    """The entries of a part in runs that fit into `room`."""
    raw = _entries_of(part)
    start, size = 0, 0
    for number, entry in enumerate(raw):
        if size and size + len(entry) + 1 > room:
            yield _run(part, raw, start, number)
            start, size = number, 0
        size += len(entry) + 1
    yield _run(part, raw, start, len(raw))


def _divide(part: Part, count: int) -> tuple[list[Part], list[Part]]:
    raw = _entries_of(part)
    return [_run(part, raw, 0, count)], [_run(part, raw, count, len(raw))]


def _entries_of(part: Part) -> list[bytes]:
    return list(map(bytes, _RAW_ENTRIES.decode(b"[" + part.body + b"]")))


def _run(part: Part, raw: Sequence[bytes], start: int, end: int) -> Part:
    return Part(part.batch, part.rows[start:end], b",".join(raw[start:end]))
