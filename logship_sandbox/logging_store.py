"""Log entries in memory, compact enough for a few million.

Entries that share log name, resource and labels are one *stream*, kept once. What is left of an
entry goes to the tail; a full tail is sealed into a compressed block beside two arrays (stream and
time of each row): about a fifth of the JSON plus 12 bytes an entry. A locator (block, row) stays
valid for ever: the tail is the block with the next number.

Copies are kept as they came and dropped when they are looked up, as Cloud Logging does: entries of
one project with equal timestamp and insertId are one entry *in a query's result* (log_entry.proto,
`insert_id`), also when their log names differ.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson
import zstandard

from logship_sandbox.logging_schema import LogEntry, Resource
from logship_sandbox.logging_time import parse_time

BLOCK_ROWS = 2048
BLOCK_BYTES = 4 << 20
_CACHED_BLOCKS = 32
_ROW_BITS = 16


@dataclass(frozen=True)
class Stream:
    """What many entries have in common."""

    log_name: str
    resource: Resource
    labels: dict[str, str]

    @property
    def project(self) -> str:
        """The log name's parent, e.g. projects/P."""
        return self.log_name.partition("/logs/")[0]


@dataclass
class Block:
    """Rows in the order they were written; `rests` until sealed, then `packed`."""

    streams: "array[int]" = field(default_factory=lambda: array("I"))
    times: "array[int]" = field(default_factory=lambda: array("q"))
    rests: list[LogEntry] | None = field(default_factory=list)
    packed: bytes = b""
    size_bytes: float = 0.0

    def seal(self) -> None:
        """Exchange the rows' objects for compressed bytes."""
        packed = zstandard.ZstdCompressor(level=1).compress(orjson.dumps(self.rests))
        # A copy: the compressor's own bytes sit at the start of a buffer as large as the input,
        # and what they leave of it is too small for the next one. It cost 380 bytes an entry.
        self.packed = bytes(memoryview(packed))
        self.rests = None

    def rows(self) -> list[LogEntry]:
        """Each row without what its stream holds."""
        rests = self.rests  # read once: a search in a thread may meet the sealing
        if rests is not None:
            return rests
        text = zstandard.ZstdDecompressor().decompress(self.packed)
        return cast(list[LogEntry], orjson.loads(text))


class Store:
    """Append, look up by locator, search."""

    def __init__(self) -> None:
        self._streams: list[Stream] = []
        self._stream_ids: dict[bytes, int] = {}
        self._blocks = [Block()]
        self._count = 0
        self._cache: OrderedDict[int, list[LogEntry]] = OrderedDict()

    def __len__(self) -> int:
        return self._count

    def append(self, entries: Sequence[LogEntry], size_bytes: int) -> None:
        """Keep complete entries (logName, resource, timestamp and insertId are set).

        `size_bytes` is about what they take as JSON; it only decides when a block is full.
        """
        self._count += len(entries)
        for entry in entries:
            stream = self._stream_id(entry)
            rest = entry.copy()
            del rest["logName"], rest["resource"]
            rest.pop("labels", None)
            block = self._blocks[-1]
            assert block.rests is not None  # the last block is never sealed
            block.streams.append(stream)
            block.times.append(_clamped(parse_time(entry["timestamp"])))
            block.rests.append(rest)
            block.size_bytes += size_bytes / len(entries)
            if len(block.rests) == BLOCK_ROWS or block.size_bytes > BLOCK_BYTES:
                block.seal()
                self._blocks.append(Block())

    def _stream_id(self, entry: LogEntry) -> int:
        labels = entry.get("labels", {})
        key = orjson.dumps((entry["logName"], entry["resource"], labels))
        known = self._stream_ids.get(key)
        if known is not None:
            return known
        self._streams.append(Stream(entry["logName"], entry["resource"], labels))
        self._stream_ids[key] = len(self._streams) - 1
        return len(self._streams) - 1

    def get(self, locators: Sequence[int]) -> list[LogEntry]:
        """The entries at these places, complete."""
        return [self._entry(locator) for locator in locators]

    def _entry(self, locator: int) -> LogEntry:
        number, row = locator >> _ROW_BITS, locator & (1 << _ROW_BITS) - 1
        block = self._blocks[number]
        rows = block.rests if block.rests is not None else self._cached(number)
        return _whole(rows[row], self._streams[block.streams[row]])

    def _cached(self, number: int) -> list[LogEntry]:
        rows = self._cache.pop(number, None) or self._blocks[number].rows()
        self._cache[number] = rows
        if len(self._cache) > _CACHED_BLOCKS:
            self._cache.popitem(last=False)
        return rows

    def entries(self) -> Iterator[LogEntry]:
        """Every entry as written, copies included, in the order of arrival."""
        for block in list(self._blocks):
            streams = block.streams
            for stream, rest in zip(streams, list(block.rows()), strict=False):
                yield _whole(rest, self._streams[stream])

    def search(self) -> Callable[[Callable[[LogEntry], bool], frozenset[str], bool], "array[int]"]:
        """A search over what is stored now: it may run in a thread while more is written."""
        sizes = [len(block.times) for block in self._blocks]
        blocks = list(self._blocks)
        streams = list(self._streams)

        def run(
            accepts: Callable[[LogEntry], bool], parents: frozenset[str], descending: bool
        ) -> "array[int]":
            wanted = [stream.project in parents for stream in streams]
            hits: list[tuple[int, str, str, int]] = []
            for number, (block, size) in enumerate(zip(blocks, sizes, strict=True)):
                for row, rest in enumerate(block.rows()[:size]):
                    stream = block.streams[row]
                    if wanted[stream] and accepts(_whole(rest, streams[stream])):
                        place = number << _ROW_BITS | row
                        project = streams[stream].project
                        hits.append((block.times[row], rest["insertId"], project, place))
            return _in_order(hits, descending)

        return run


def _in_order(hits: list[tuple[int, str, str, int]], descending: bool) -> "array[int]":
    """Locators by time, then insertId; of copies, the one that was written first."""
    hits.sort()
    places = array("Q")
    last: tuple[int, str, str] | None = None
    for time, insert_id, project, place in hits:
        if last != (time, insert_id, project):
            places.append(place)
        last = (time, insert_id, project)
    if descending:
        places.reverse()
    return places


def _whole(rest: LogEntry, stream: Stream) -> LogEntry:
    whole: LogEntry = {**rest, "logName": stream.log_name, "resource": stream.resource}
    if stream.labels:
        whole["labels"] = stream.labels
    return whole


def _clamped(nanos: int) -> int:
    """Into 64 bits: years before 1678 and after 2261 sort at the ends."""
    return max(-(1 << 63), min((1 << 63) - 1, nanos))
