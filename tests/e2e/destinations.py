"""What arrived, from the file sink or from the sandbox's Cloud Logging: every copy, in order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from logship.api import time_ns


class Arrived(msgspec.Struct, frozen=True):
    """One row as the file sink writes it."""

    id: str
    time: str
    stream: str
    text: str
    pod: str = ""
    container: str = ""
    path: str = ""
    marks: tuple[str, ...] = ()


def rows_in(directory: Path) -> list[Arrived]:
    """All rows in the files of a file sink."""
    return list(each_row_in(directory))


def each_row_in(directory: Path, *, torn: bool = False) -> Iterator[Arrived]:
    """`torn`: an agent that was killed may leave torn lines; what they held is sent again."""
    for path in sorted(directory.glob("*.jsonl*")):
        with path.open("rb") as file:
            for text in file:
                try:
                    yield msgspec.json.decode(text, type=Arrived)
                except msgspec.DecodeError:
                    assert torn, f"{path} has a line that is no row: {text[:200]!r}"


def texts(rows: Iterable[Arrived]) -> list[str]:
    return [row.text for row in rows]


def assert_each_once(rows: Sequence[Arrived], expected: Iterable[str]) -> None:
    """Exactly these texts arrived, none twice, and each row under an id of its own."""
    wanted, arrived = Counter(expected), Counter(texts(rows))
    missing, extra = wanted - arrived, arrived - wanted
    assert not missing, f"{missing.total()} rows are missing: {_some(missing)}"
    assert not extra, f"{extra.total()} rows arrived too often: {_some(extra)}"
    assert len({row.id for row in rows}) == len(rows), "two rows have the same id"


def assert_copies_agree(rows: Iterable[Arrived]) -> None:
    """Rows of one id have one text and one time: the destination can drop all but one."""
    first: dict[str, Arrived] = {}
    for row in rows:
        seen = first.setdefault(row.id, row)
        same = identity(seen) == identity(row)
        assert same, f"two rows have the id {row.id}: {seen} and {row}"


def identity(row: Arrived) -> tuple[str, int, str]:
    """A time may be written in several ways; Cloud Logging compares the instant."""
    return row.text, time_ns(row.time), row.stream


def _some(rows: Counter[str]) -> str:
    return ", ".join(repr(text[:80]) for text in list(rows)[:5])
