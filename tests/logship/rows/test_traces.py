"""Each trace becomes one row, and its neighbours stay what they are."""

from pathlib import Path

import pytest

from logship.rows.address import Generation, Mark, Span
from logship.rows.cut import Cutter
from logship.rows.index import Cutting, index
from logship.rows.joins import Joins
from logship.rows.languages import LANGUAGES
from logship.rows.rows import Rows
from logship.rows.traces import REACH

EXCEPTIONS = Joins(tuple(LANGUAGES))
GENERATION = Generation(1, 2)
UNFINISHED = Mark(unfinished=True)


def rows_of(text: str, joins: Joins = EXCEPTIONS, format: str = "plain") -> Rows:
    block = text.encode()
    return index(block, (Span(GENERATION, 0, len(block)),), Cutting(format, joins=joins))


def records(language: str) -> list[str]:
    """The file's records: what must become one row each."""
    path = Path(__file__).parent / "traces" / f"{language}.txt"
    return path.read_text()[:-1].split("\n----8<----\n")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("all_languages", [True, False])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_every_trace_is_one_row_and_ordinary_lines_are_rows_of_their_own(
    language: str, all_languages: bool, line_end: str
) -> None:
    joins = EXCEPTIONS if all_languages else Joins((language,))
    wanted = [text.replace("\n", line_end) for text in records(language)]
    carriage = line_end.removesuffix("\n")
    rows = rows_of("".join(f"{text}{line_end}" for text in wanted), joins)
    assert list(rows.texts) == [text + carriage for text in wanted]
    assert not rows.marks


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_test_data_has_traces(language: str) -> None:
    assert sum("\n" in text for text in records(language)) >= 2


def test_a_language_that_is_not_asked_for_is_not_joined() -> None:
    text = "\n".join(records("python")) + "\n"
    assert len(rows_of(text, Joins(("go",)))) == text.count("\n")


def test_a_joined_row_has_the_time_and_the_address_of_its_first_line() -> None:
    lines = [
        "2026-11-23T04:46:31Z stdout F before",
        "2026-11-23T04:46:32Z stdout F java.lang.IllegalStateException: boom",
        "2026-11-23T04:46:33Z stderr F of the other stream",
        "2026-11-23T04:46:34Z stdout F \tat a.B.c(B.java:1)",
        "2026-11-23T04:46:35Z stdout F after",
    ]
    rows = rows_of("\n".join(lines) + "\n", format="cri")
    assert list(zip(rows.offsets, rows.times, rows.texts, strict=True)) == [
        (0, "2026-11-23T04:46:31Z", "before"),
        (len(lines[0]) + len(lines[1]) + 2, "2026-11-23T04:46:33Z", "of the other stream"),
        (37, "2026-11-23T04:46:32Z", "java.lang.IllegalStateException: boom\n\tat a.B.c(B.java:1)"),
        (sum(map(len, lines[:4])) + 4, "2026-11-23T04:46:35Z", "after"),
    ]


def test_what_the_runtime_cut_is_joined_before_the_trace_is() -> None:
    rows = rows_of(
        "2026-11-23T04:46:31Z stdout P java.lang.Illegal\n"
        "2026-11-23T04:46:31Z stdout F StateException: boom\n"
        "2026-11-23T04:46:31Z stdout P \t\n"
        "2026-11-23T04:46:31Z stdout F at a.B.c(B.java:1)\n",
        format="cri",
    )
    assert list(rows.texts) == ["java.lang.IllegalStateException: boom\n\tat a.B.c(B.java:1)"]


def test_a_line_that_is_not_of_the_format_does_not_break_a_trace() -> None:
    rows = rows_of(
        "2026-11-23T04:46:31Z stdout F java.lang.IllegalStateException: boom\n"
        "junk\n"
        "2026-11-23T04:46:31Z stdout F \tat a.B.c(B.java:1)\n",
        format="cri",
    )
    assert len(rows) == 2
    assert rows.mark(0) == Mark(malformed=True)


def test_a_trace_over_the_limit_of_rows_goes_on_as_a_row_that_is_marked() -> None:
    text = "java.lang.StackOverflowError: x\n" + "\tat a.B.c(B.java:1)\n" * 25
    rows = rows_of(text, Joins(("java",), max_rows=10))
    assert [row.count("\n") + 1 for row in rows.texts] == [10, 10, 6]
    assert [rows.mark(row) for row in range(3)] == [Mark(), UNFINISHED, UNFINISHED]


def test_a_trace_over_the_limit_of_bytes_goes_on_as_a_row_that_is_marked() -> None:
    block = ("java.lang.StackOverflowError: x\n" + "\tat a.B.cé(B.java:1)\n" * 25).encode()
    cutting = Cutting("plain", 200, EXCEPTIONS)
    rows = index(block, (Span(GENERATION, 0, len(block)),), cutting)
    assert max(len(text.encode()) for text in rows.texts) <= 200
    assert "\n".join(rows.texts) + "\n" == block.decode()
    assert [rows.mark(row) for row in range(len(rows))] == [Mark(), UNFINISHED, UNFINISHED]


def test_a_trace_without_its_end_is_marked() -> None:
    rows = rows_of('Traceback (most recent call last):\n  File "a.py", line 1\n2026 INFO next\n')
    assert [rows.mark(row) for row in range(len(rows))] == [UNFINISHED, Mark()]


def test_a_head_that_nothing_follows_is_an_ordinary_row() -> None:
    rows = rows_of("java.io.IOException: x\n")
    assert list(rows.texts) == ["java.io.IOException: x"]
    assert not rows.marks


def test_a_message_that_goes_on_for_too_long_is_not_waited_for() -> None:
    cutter = Cutter(Cutting("plain", joins=EXCEPTIONS))
    assert cutter.push(GENERATION, 0, b"ValueError: x\n") is None
    at = 14
    for _ in range(REACH + 1):
        cut = cutter.push(GENERATION, at, b"  words\n")
        at += 8
    assert cut is not None
    assert not cutter.opened


@pytest.mark.parametrize(
    ("head", "line"),
    [
        ("java.lang.E1Error: x\n\tat a.B.c(B.java:1)\n", "Caused by: java.lang.XError: y\n"),
        ("thread 'main' panicked at src/main.rs:1:1:\nmessage\n", "note: more\n"),
    ],
)
def test_an_endless_chain_of_lines_that_are_not_indented_is_found_equal_in_pieces(
    head: str, line: str
) -> None:
    cutting = Cutting("plain", joins=EXCEPTIONS)
    whole = rows_of(head + line * 60)
    for lines in (1, 20):
        cutter, found, at = Cutter(cutting), [], 0
        for chunk in [head + line * 20, *[line * lines] * (40 // lines)]:
            found.append(cutter.push(GENERATION, at, chunk.encode()))
            at += len(chunk)
        found.append(cutter.flush())
        rows = [index(cut.block, cut.pieces, cutting).texts for cut in found if cut]
        assert [text for texts in rows for text in texts] == list(whole.texts)


def test_a_last_line_without_its_newline_ends_the_trace() -> None:
    cutter = Cutter(Cutting("plain", joins=EXCEPTIONS))
    head = b"java.io.IOException: x\n\tat a.B.c(B.java:1)"
    cutter.push(GENERATION, 0, head)
    cut = cutter.push(GENERATION, len(head), b"", end=True)
    assert cut is not None
    assert cut.rows is not None
    assert list(cut.rows.texts) == [head.decode()]
    assert not cutter.opened


def test_long_lines_and_many_heads_are_no_burden() -> None:
    """Not timed; a pattern that repeats a repeat, or heads that borrow each other's lines, hang."""
    long = [
        "(" * 200_000,
        "Error: " * 30_000,
        ":1" * 100_000 + ":in ",
        "a in b:1 Exception" * 9_000,
    ]
    short = ["Error: x", "  Error: x", "goroutine 1 [running]:", "f((((((", "\tpanic: x"] * 300
    for text in (*long, *short):
        assert rows_of(f"{text}\n\t{text}\n")
    assert rows_of("\n".join(short) + "\n")
