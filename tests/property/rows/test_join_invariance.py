"""Joined rows are a function of the bytes on disk: traces of all languages, mixed, cut anywhere."""

import random
from collections.abc import Sequence
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from logship.rows.address import Generation, Mark, Position, Span
from logship.rows.cut import Cut, Cutter
from logship.rows.index import Cutting, index
from logship.rows.joins import Joins
from logship.rows.languages import LANGUAGES
from logship.rows.rows import Rows
from logship.tail.ledger import Ledger

ORIGIN = "0123456789ab"
TRACES = Path(__file__).parents[2] / "logship" / "rows" / "traces"
RECORDS = {
    name: (TRACES / f"{name}.txt").read_text()[:-1].split("\n----8<----\n") for name in LANGUAGES
}
LINES = sorted({line for texts in RECORDS.values() for text in texts for line in text.split("\n")})
NEWLINE = "\n"
Row = tuple[str, str, str, str, Mark]

ODD = ["", " ", "\t", "#", "x", "Error: x", "2026-11-23 INFO x", "}", "  x" * 30]
JUNK = [b"\n", b"junk\n", b"\tat a.b(C.java:1)\n", b"2026-02-30T04:46:31Z stdout F no date\n"]
FIRST_LINES = [r"\d{4}-", r"\S", "[A-Z]"]
Chance = random.Random
"""Drawn as a whole: Hypothesis' own lists are mostly too short to hold two traces."""
_chance = st.integers(0, 2**32).map(Chance)


def some_joins(chance: Chance) -> Joins:
    rows = chance.choice([1, 3, 20, 1000, 1000])
    if chance.random() < 0.3:
        return Joins(first_line=chance.choice(FIRST_LINES), max_rows=rows)
    names = tuple(chance.sample(sorted(LANGUAGES), chance.randint(1, 3)))
    return Joins(chance.choice([tuple(LANGUAGES), names]), max_rows=rows)


def some_stream(chance: Chance) -> list[str]:
    """Lines: traces, whole ones and pieces in any order, and ordinary ones."""
    own = [*RECORDS[chance.choice(sorted(RECORDS))], *RECORDS[chance.choice(sorted(RECORDS))]]
    kinds = [own, own, own, LINES, ODD]
    texts = [chance.choice(chance.choice(kinds)) for _ in range(chance.randint(0, 10))]
    return "\n".join(texts).split("\n")


def some_cri(chance: Chance) -> list[bytes]:
    """Both streams in any order; some lines in parts, some malformed."""
    streams = {"stdout": some_stream(chance)[::-1], "stderr": some_stream(chance)[::-1]}
    lines: list[bytes] = []
    while any(streams.values()):
        name = chance.choice([name for name, rest in streams.items() if rest])
        for _ in range(chance.choice([1, 2, 12])):
            if not streams[name]:
                break
            text, tag = streams[name].pop(), "F"
            if text and chance.random() < 0.1:
                at = chance.randint(0, len(text))
                streams[name].append(text[at:])
                text, tag = text[:at], "P"
            time = f"2026-11-23T04:46:31.{len(lines):03d}1Z"
            lines.append(f"{time} {name} {tag} {text}\n".encode())
            if chance.random() < 0.05:
                lines.append(chance.choice(JUNK))
    return lines


def some_files(chance: Chance, format: str) -> list[bytes]:
    """The contents of all generations, rotated in the middle of anything."""
    plain = [text.encode() + b"\n" for text in some_stream(chance)]
    lines = plain if format == "plain" else some_cri(chance)
    edges = sorted(chance.randint(0, len(lines)) for _ in range(chance.randint(0, 2)))
    contents = [
        b"".join(lines[a:b]) for a, b in zip([0, *edges], [*edges, len(lines)], strict=True)
    ]
    if chance.random() < 0.3:
        contents[0] = contents[0][:-1]  # torn in the middle of a line
    return contents


def some_sizes(chance: Chance) -> list[int]:
    most = chance.choice([20, 100, 1000, 10_000])
    return [chance.randint(1, most) for _ in range(100)]


def generation(number: int) -> Generation:
    return Generation(1_000_000_000 * (number + 1), 0xABCD1234 + number)


def rows_of(cut: Cut, cutting: Cutting) -> list[Row]:
    found = _columns(index(cut.block, cut.pieces, cutting))
    if cut.rows is not None:
        assert _columns(cut.rows) == found  # found while cutting, and found later
    return found


def _columns(rows: Rows) -> list[Row]:
    columns = zip(rows.ids(ORIGIN), rows.times, rows.streams, rows.texts, strict=True)
    return [(*values, rows.mark(row)) for row, values in enumerate(columns)]


def read(
    contents: Sequence[bytes], sizes: Sequence[int], cutting: Cutting, ledger: Ledger, at: Position
) -> list[Cut]:
    """Reads on from a position, a chunk to each size, then in one piece."""
    cutter, left = Cutter(cutting), iter(sizes)
    found: list[Cut | None] = []
    for number, content in enumerate(contents):
        name = generation(number)
        offset = at.offset if name == at.generation else 0
        ledger.taken(Span(name, offset, offset))
        while name >= at.generation and offset < len(content):
            size = min(next(left, len(content)), len(content) - offset)
            ledger.taken(Span(name, offset, offset + size))
            found.append(cutter.push(name, offset, content[offset : offset + size]))
            offset += size
        found.append(cutter.push(name, offset, b"", end=True))
    found.append(cutter.flush())
    assert cutter.open_bytes == 0
    return [cut for cut in found if cut is not None]


_START = Position(generation(0), 0)


@settings(max_examples=1000, deadline=None)
@given(_chance, st.sampled_from(["cri", "cri", "plain"]))
def test_joined_rows_do_not_depend_on_how_the_bytes_are_read(chance: Chance, format: str) -> None:
    contents = some_files(chance, format)
    limit = chance.choice([256 * 1024, 256 * 1024, 2000, 500, 90])
    cutting = Cutting(format, limit, some_joins(chance))
    whole = read(contents, [], cutting, Ledger(_START), _START)
    pieces = read(contents, some_sizes(chance), cutting, Ledger(_START), _START)
    rows = sorted((row for cut in whole for row in rows_of(cut, cutting)), key=str)
    assert sorted((row for cut in pieces for row in rows_of(cut, cutting)), key=str) == rows
    event(f"joined rows: {min(5, sum(NEWLINE in row[3] for row in rows))}")


@settings(max_examples=1000, deadline=None)
@given(_chance, st.sampled_from(["cri", "cri", "plain"]), st.booleans())
def test_rows_are_the_same_after_a_restart_at_the_committed_position(
    chance: Chance, format: str, joining: bool
) -> None:
    contents = some_files(chance, format)
    cutting = Cutting(format, 256 * 1024, some_joins(chance) if joining else None)
    ledger = Ledger(_START)
    cuts = read(contents, some_sizes(chance), cutting, ledger, _START)
    rows = {row[0]: row for cut in cuts for row in rows_of(cut, cutting)}
    for cut in cuts:
        ledger.keep_whole(cut.straddles)
    for cut in chance.sample(cuts, chance.randrange(len(cuts) + 1)):
        ledger.settle(cut.pieces)
    at = ledger.committed
    assert at is not None
    again = read(contents, [], cutting, Ledger(at), at)
    assert {row[0]: row for cut in again for row in rows_of(cut, cutting)}.items() <= rows.items()
