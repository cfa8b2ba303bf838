"""What is expected against what came. Plain functions.

Of a row that is expected only what is said counts. Rows are compared in order, and where one is
missing or one too many came, the others are still found: the longest sequence of rows that agree
is kept, and what lies between is told as differences.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from logship.routes.when import ABSENT, lookup
from logship.trial.options import Row
from logship.trial.shipping import Came

MAX_PAIRS = 1_000_000
"""Of rows that are compared each with each; beyond, the first is compared with the first."""

Difference: TypeAlias = tuple[str, object, object]
"""What differs, what was expected (ABSENT: nothing), and what came (ABSENT: nothing)."""


_Agree: TypeAlias = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Pair:
    """An expected row (by its place) and what came for it; one of them may be missing."""

    wanted: int | None
    came: Came | None
    differences: tuple[Difference, ...] = ()


def row_of(wanted: str | Row) -> Row:
    return Row(text=wanted) if isinstance(wanted, str) else wanted


def differences(wanted: Row, came: Came) -> Iterator[Difference]:
    for name in ("text", "stream", "time", "severity"):
        expected, found = getattr(wanted, name), getattr(came, name)
        if expected is not None and expected != found:
            yield name, expected, found
    parts = (wanted.contains,) if isinstance(wanted.contains, str) else wanted.contains or ()
    if any(part not in came.text for part in parts):
        yield "contains", wanted.contains, came.text
    if wanted.json is not None:
        found = ABSENT if came.fields is None else came.fields
        yield from _within("json", wanted.json, found)
    if wanted.labels:
        yield from _within("labels", wanted.labels, came.labels)
    if wanted.sent is not None:
        yield from _within("sent", wanted.sent, ABSENT if came.sent is None else came.sent)


def _within(path: str, wanted: object, found: object) -> Iterator[Difference]:
    """Where `found` lacks something of `wanted`. In mappings others may stand beside."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            # As `when` finds it: dots lead inside, where no key has them itself.
            yield from _within(f"{path}.{key}", value, lookup(found, key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _within(f"{path}[{number}]", one, other)
    elif not _same(wanted, found):
        yield path, wanted, found


def _same(wanted: object, found: object) -> bool:
    if wanted is None:
        return found is None or found is ABSENT
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return wanted == found


def compare(wanted: Sequence[str | Row], came: Sequence[Came]) -> list[Pair]:
    """Every expected row and every row that came, once, in order."""
    rows = list(map(row_of, wanted))
    pairs: list[Pair] = []
    at_wanted = at_came = 0
    for number, place in [*_agreeing(rows, came), (len(rows), len(came))]:
        pairs += _between(rows, came, range(at_wanted, number), range(at_came, place))
        if number < len(rows):
            pairs.append(Pair(number, came[place]))
        at_wanted, at_came = number + 1, place + 1
    return pairs


def _between(
    rows: Sequence[Row], came: Sequence[Came], wanted: range, places: range
) -> Iterator[Pair]:
    """None of these agree: side by side as far as both go."""
    both = min(len(wanted), len(places))
    for number, place in zip(wanted[:both], places[:both], strict=True):
        yield Pair(number, came[place], tuple(differences(rows[number], came[place])))
    yield from (Pair(number, None) for number in wanted[both:])
    yield from (Pair(None, came[place]) for place in places[both:])


def _agreeing(rows: Sequence[Row], came: Sequence[Came]) -> list[tuple[int, int]]:
    """The longest sequence of (expected row, row that came) that agree."""

    def agree(number: int, place: int) -> bool:
        return next(differences(rows[number], came[place]), None) is None

    if len(rows) * len(came) > MAX_PAIRS:
        return [(n, n) for n in range(min(len(rows), len(came))) if agree(n, n)]
    start = 0
    while start < min(len(rows), len(came)) and agree(start, start):
        start += 1
    first = [(n, n) for n in range(start)]
    return first + _longest(range(start, len(rows)), range(start, len(came)), agree)


def _longest(wanted: range, places: range, agree: _Agree) -> list[tuple[int, int]]:
    """By the lengths of the longest common rest, from the end."""
    table = [[0] * (len(places) + 1) for _ in range(len(wanted) + 1)]
    for i in reversed(range(len(wanted))):
        for j in reversed(range(len(places))):
            if agree(wanted[i], places[j]):
                table[i][j] = table[i + 1][j + 1] + 1
            else:
                table[i][j] = max(table[i + 1][j], table[i][j + 1])
    found, i, j = [], 0, 0
    while i < len(wanted) and j < len(places):
        if table[i][j] == table[i + 1][j]:
            i += 1
        elif table[i][j] == table[i][j + 1]:
            j += 1
        else:
            found.append((wanted[i], places[j]))
            i, j = i + 1, j + 1
    return found
