"""The account of a run with kills: what was written, against every copy that arrived.

Rows are noted one by one and only fingerprints are kept, so that a run of a million rows fits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from logship.api import time_ns
from tests.e2e.destinations import Arrived
from tests.e2e.traffic import stream_of, text_of


@dataclass
class Account:
    copies: int = 0
    """Rows that arrived again under an id that was there already."""
    wrong: list[str] = field(default_factory=list)
    """Each sentence is a promise that was broken."""
    _by_id: dict[str, int] = field(default_factory=dict)
    _id_of: dict[tuple[str, int], str] = field(default_factory=dict)

    def note(self, rows: Iterable[Arrived]) -> "Account":
        for row in rows:
            self._note(row)
        return self

    def _note(self, row: Arrived) -> None:
        pod, _, rest = row.text.partition(" ")
        number = rest.partition(" ")[0]
        known = pod.startswith("pod-") and number.isdecimal()
        if not known or row.text != text_of(pod, int(number)):
            self.wrong.append(f"{row.id} {row.marks} is no row of ours: {_some(row.text)}")
            return
        if row.stream and row.stream != stream_of(int(number)):
            self.wrong.append(f"{row.id} ({pod} {number}) is on {row.stream}")
        fingerprint = hash((row.text, time_ns(row.time)))
        self.copies += row.id in self._by_id
        if self._by_id.setdefault(row.id, fingerprint) != fingerprint:
            self.wrong.append(f"copies of {row.id} ({pod} {number}) differ in text or time")
        if self._id_of.setdefault((pod, int(number)), row.id) != row.id:
            other = self._id_of[pod, int(number)]
            self.wrong.append(f"{pod} {number} has two ids: {other} and {row.id}")

    def assert_complete(self, written: Mapping[str, int]) -> None:
        """Nothing lost, nothing foreign, one id and one time for each row."""
        expected = {(pod, number) for pod, count in written.items() for number in range(count)}
        missing = sorted(expected - self._id_of.keys())
        foreign = sorted(self._id_of.keys() - expected)
        assert not self.wrong, f"{len(self.wrong)}: {self.wrong[:5]}"
        assert not missing, f"{len(missing)} rows are lost: {_ranges(missing)}"
        assert not foreign, f"{len(foreign)} rows were never written: {foreign[:5]}"


def _ranges(rows: list[tuple[str, int]]) -> list[str]:
    """Rows next to each other as one text, the first few."""
    found: list[list[tuple[str, int]]] = []
    for pod, number in rows:
        if found and found[-1][-1] == (pod, number - 1):
            found[-1][-1] = (pod, number)
        else:
            found.append([(pod, number), (pod, number)])
    return [f"{first[0]} {first[1]}-{last[1]}" for first, last in found[:10]]


def _some(text: str) -> str:
    return repr(text if len(text) < 120 else f"{text[:60]}...{text[-40:]}")
