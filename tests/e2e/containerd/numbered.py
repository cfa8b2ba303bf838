"""Lines with numbers: a container prints so many, and each has to arrive, whole."""

import re
from collections.abc import Sequence

from tests.e2e.destinations import Arrived, assert_copies_agree

TEXT = "a line that a container wrote while its log was rotated, and no other. " + "x" * 110
_LINE = re.compile(rf"(\d+) {re.escape(TEXT)}")


def text_of(number: int) -> str:
    return f"{number} {TEXT}"


def program(count: int, *, first: int = 0, pause_every: int = 0, pause_ms: int = 0) -> str:
    """A shell command that prints the lines; with pauses, to bound its speed."""
    pause = ""
    if pause_every:
        usleep = f'fflush(); system("usleep {pause_ms}000")'
        pause = f"; if (n % {pause_every} == {pause_every - 1}) {{ {usleep} }}"
    loop = f'for (n = {first}; n < {first + count}; n++) {{ print n " {TEXT}"{pause} }}'
    return f"awk 'BEGIN {{ {loop} }}'"


def assert_all_once(rows: Sequence[Arrived], count: int) -> None:
    """Each line once, under an id of its own, and in order."""
    numbers = assert_all(rows, count)
    assert len(numbers) == count, f"{len(numbers) - count} lines arrived too often"
    assert numbers == sorted(numbers), "rows of one log came out of order"


def assert_all(rows: Sequence[Arrived], count: int) -> list[int]:
    """Each line at least once, always under the same id; sorted by id they are in order."""
    found = [_LINE.fullmatch(row.text) for row in rows]
    torn = [row for row, match in zip(rows, found, strict=True) if match is None]
    numbers = [int(match[1]) for match in found if match is not None]
    missing = sorted(set(range(count)) - set(numbers))
    odd = [*torn, *(row for row in rows if row.marks)]
    said = f"{len(missing)} lines are missing: {missing[:20]}; {len(odd)} are not whole: {odd[:5]}"
    assert len(missing) + len(odd) == 0, said
    assert_copies_agree(rows)
    id_of = dict(sorted((number, row.id) for number, row in zip(numbers, rows, strict=True)))
    assert len({row.id for row in rows}) == count, "a line has two ids, or two lines have one"
    assert list(id_of.values()) == sorted(id_of.values()), "ids are not in the order of the lines"
    return numbers
