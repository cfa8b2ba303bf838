"""The account of a run with kills: what was written, against every copy that arrived.

Copies are noted one by one and only fingerprints are kept, so that a run of a million rows fits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import NamedTuple

from logship.api import time_ns, time_text
from tests.e2e.destinations import Arrived
from tests.e2e.traffic import stream_of, text_of


class Copy(NamedTuple):
    """A row as it was found somewhere."""

    id: str
    time_ns: int
    stream: str
    head: str
    """How its text begins: pod, number."""
    digest: str
    """MD5 of its text: a destination can make it too."""

    @classmethod
    def of(cls, row: Arrived) -> "Copy":
        return cls(row.id, time_ns(row.time), row.stream, row.text[:40], _digest(row.text))


@dataclass
class Account:
    copies: int = 0
    """Rows that arrived again under an id that was there already."""
    wrong: list[str] = field(default_factory=list)
    """Each sentence is a promise that was broken."""
    _time_of: dict[str, int] = field(default_factory=dict)
    _id_of: dict[tuple[str, int], str] = field(default_factory=dict)

    def note(self, copies: Iterable[Copy]) -> "Account":
        for copy in copies:
            self._note(copy)
        return self

    def _note(self, copy: Copy) -> None:
        pod, _, rest = copy.head.partition(" ")
        number = rest.partition(" ")[0]
        known = pod.startswith("pod-") and number.isdecimal()
        if not known or copy.digest != _digest(text_of(pod, int(number))):
            self.wrong.append(f"{place_of(copy.id)} is no row of ours: {copy.head!r}...")
            return
        row = pod, int(number)
        if copy.stream != stream_of(row[1]):
            self.wrong.append(f"{copy.id} ({row}) is on {copy.stream}")
        self.copies += copy.id in self._time_of
        if self._time_of.setdefault(copy.id, copy.time_ns) != copy.time_ns:
            self.wrong.append(f"copies of {copy.id} ({row}) differ in their time")
        if self._id_of.setdefault(row, copy.id) != copy.id:
            self.wrong.append(f"{row} has two ids: {self._id_of[row]} and {copy.id}")

    def broken(self, written: Mapping[str, int]) -> list[str]:
        """Whatever is not so: nothing lost, nothing foreign; one id, text and time for each row."""
        expected = {(pod, number) for pod, count in written.items() for number in range(count)}
        missing = sorted(expected - self._id_of.keys())
        foreign = sorted(self._id_of.keys() - expected)
        found = list(self.wrong)
        found += [f"lost: {rows}" for rows in _ranges(missing)]
        found += [f"never written: {rows}" for rows in _ranges(foreign)]
        if not found and len(self._time_of) != len(expected):
            found.append("two rows have the same id")
        return found


def _digest(text: str) -> str:
    return md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def _ranges(rows: list[tuple[str, int]]) -> list[str]:
    """Rows next to each other as one text."""
    found: list[list[tuple[str, int]]] = []
    for pod, number in rows:
        if found and found[-1][-1] == (pod, number - 1):
            found[-1][-1] = (pod, number)
        else:
            found.append([(pod, number), (pod, number)])
    return [f"{first[0]} rows {first[1]} to {last[1]}" for first, last in found]


def place_of(row_id: str) -> str:
    """What an id says: when the first row of its file was written, and where in it the row lies."""
    generation, offset = time_text(int(row_id[12:28], 16)), int(row_id[36:48], 16)
    return f"{row_id} (in the file that began at {generation}, at {offset})"
