"""What arrived, from the file sink or from the sandbox's Cloud Logging: every copy, in order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec


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


def rows_in(directory: Path, *, torn: bool = False) -> list[Arrived]:
    """All rows in the files of a file sink. `torn`: a killed agent may leave torn lines."""
    found: list[Arrived] = []
    for path in sorted(directory.glob("*.jsonl*")):
        for text in path.read_bytes().splitlines():
            try:
                found.append(msgspec.json.decode(text, type=Arrived))
            except msgspec.DecodeError:
                assert torn, f"{path} has a line that is no row: {text[:200]!r}"
    return found


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
        same = (seen.text, seen.time, seen.stream) == (row.text, row.time, row.stream)
        assert same, f"two rows have the id {row.id}: {seen} and {row}"


def _some(rows: Counter[str]) -> str:
    return ", ".join(repr(text[:80]) for text in list(rows)[:5])
