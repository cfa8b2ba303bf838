"""What came to a destination: rows, different ids and numbers, delays, when.

Kept are a hash of each id and the number of each line, so that what is lost or doubled is exact.
Delays (the clock at arrival less the time in the row) are kept by phase and by kind of log.
"""

import time
from array import array
from calendar import timegm
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter

import msgspec

from bench.delays import Delays, percentiles
from bench.lines import TOKEN

LOUD, QUIET, REFUSED = 0, 1, 2
KIND_SHIFT = 40
"""A line's number says its kind above these bits."""
_ID_BEFORE = b'"insertId":"'
_ID, _NUMBER = itemgetter(slice(0, 48)), itemgetter(slice(0, 12))
_TIME_AT = 48 + len('","timestamp":"')
_SECOND = slice(_TIME_AT, _TIME_AT + 19)
_FRACTION = slice(_TIME_AT + 20, _TIME_AT + 29)
"""Of a time with nine digits, as the writer writes it."""


class Arrived(msgspec.Struct):
    """All that was taken so far."""

    rows: int
    distinct_ids: int
    distinct_numbers: int
    requests: int
    refused_requests: int
    delays: dict[str, Delays]
    """By phase and kind: `fault quiet`."""
    taken: list[tuple[float, int]]
    """When (wall clock) a request was taken, and its rows."""


def kind_of(number: int) -> int:
    return number >> KIND_SHIFT


class Arrivals:
    """Of one destination. The caller holds a lock."""

    def __init__(self, *, delays: bool) -> None:
        self.phase = ""
        self.refused_requests = 0
        self._wanted = delays
        self._ids, self._numbers = array("q"), array("q")
        self._delays: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        self._taken: list[tuple[float, int]] = []

    def take(self, body: bytes, without: Sequence[int] = ()) -> None:
        """Of an entries:write; `without`: entries that are refused."""
        at_ns = time.time_ns()
        _, *entries = body.split(_ID_BEFORE)
        _, *numbered = body.split(TOKEN)
        numbers = [int(number, 16) for number in map(_NUMBER, numbered)]
        if without:
            gone = {*without}
            entries = [entry for place, entry in enumerate(entries) if place not in gone]
            numbers = [number for place, number in enumerate(numbers) if place not in gone]
        self._ids.extend(map(hash, map(_ID, entries)))
        self._numbers.extend(numbers)
        self._taken.append((at_ns / 1e9, len(entries)))
        if self._wanted:
            self._note(entries, numbers, at_ns)

    def _note(self, entries: Sequence[bytes], numbers: Sequence[int], at_ns: int) -> None:
        loud, quiet = self._delays[f"{self.phase} loud"], self._delays[f"{self.phase} quiet"]
        for entry, number in zip(entries, numbers, strict=True):
            written = _secs(entry[_SECOND]) * 10**9 + int(entry[_FRACTION])
            (loud if kind_of(number) == LOUD else quiet).append(at_ns - written)

    def summary(self) -> Arrived:
        return Arrived(
            len(self._ids), len(set(self._ids)), len(set(self._numbers)), len(self._taken),
            self.refused_requests,
            {name: percentiles(found) for name, found in self._delays.items() if found},
            self._taken,
        )  # fmt: skip


def refused_places(body: bytes) -> list[int]:
    """The entries that a row says are to be refused."""
    _, *numbered = body.split(TOKEN)
    kinds = [kind_of(int(number, 16)) for number in map(_NUMBER, numbered)]
    return [place for place, kind in enumerate(kinds) if kind == REFUSED]


@lru_cache(maxsize=4096)
def _secs(text: bytes) -> int:
    return timegm(time.strptime(text.decode(), "%Y-%m-%dT%H:%M:%S"))
