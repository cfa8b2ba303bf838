"""Records that begin at a user's pattern, and which patterns are refused."""

import subprocess
import sys

import pytest

from logship.rows.address import Generation, Mark, Span
from logship.rows.cut import Cutter
from logship.rows.first_lines import first_line_pattern
from logship.rows.index import Cutting, index
from logship.rows.joins import Joins

DATED = Joins(first_line=r"\d{4}-")
GENERATION = Generation(1, 2)
UNFINISHED = Mark(unfinished=True)


def texts(block: bytes, joins: Joins = DATED, limit: int = 1 << 20) -> list[tuple[str, bool]]:
    rows = index(block, (Span(GENERATION, 0, len(block)),), Cutting("plain", limit, joins))
    return [(text, rows.mark(row).unfinished) for row, text in enumerate(rows.texts)]


def test_lines_that_do_not_match_belong_to_the_record_before() -> None:
    assert texts(b"2026-1 a\nb\n\n2026-2 c\n2026-3 d\n  e\n") == [
        ("2026-1 a\nb\n", False), ("2026-2 c", False), ("2026-3 d\n  e", False),
    ]  # fmt: skip


def test_a_record_without_its_first_line_is_marked() -> None:
    assert texts(b"b\nc\n2026-1 a\n") == [("b\nc", True), ("2026-1 a", False)]


def test_limits_cut_a_record_and_mark_the_rest() -> None:
    block = b"2026-1 a\n" + b"b\n" * 5
    assert texts(block, Joins(first_line=r"\d{4}-", max_rows=3)) == [
        ("2026-1 a\nb\nb", False), ("b\nb\nb", True),
    ]  # fmt: skip
    assert texts(block, limit=12) == [("2026-1 a\nb\nb", False), ("b\nb\nb", True)]


def test_the_pattern_sees_the_beginning_of_a_line_only() -> None:
    assert len(texts(b"2026-1 a\nx 2026-1\n")) == 1
    assert len(texts(b"2026-1 a\n" + b" " * 200 + b"x\n", Joins(first_line=r"2026|\s*x"))) == 1


def test_the_last_record_waits_for_more_lines_on_its_stream_only() -> None:
    cutter = Cutter(Cutting("cri", joins=DATED))
    head = b"2026-11-23T04:46:31Z stdout F 2026-1 a\n"
    assert cutter.push(GENERATION, 0, head) is None
    other = b"2026-11-23T04:46:31Z stderr F 2026-2 b\n"
    assert cutter.push(GENERATION, len(head), other) is None
    cut = cutter.flush(["stderr"])
    assert cut is not None
    assert cut.pieces == (Span(GENERATION, len(head), len(head) + len(other)),)
    assert list(cutter.opened) == ["stdout"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^\d{4}-\d\d", "2026-11-23 x"), (r"\[", "[x]"), (r"(?:INFO|WARN) ", "WARN x"),
        (r"\d+\.\d+ .* -", "1.2 a b - c"), (r"(?i)[a-z]{3} \d{1,2}", "NOV 23"),
        (r"(\d{1,3}\.){3}", "10.0.0.1"), ("日本", "日本語"),
    ],
)  # fmt: skip
def test_ordinary_patterns_are_taken(pattern: str, text: str) -> None:
    assert first_line_pattern(pattern).Match(text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "none that RE2 can match"), ("[", "none that RE2 can match"),
        ("(?=x)y", "none that RE2 can match"), (r"(a)\1", "none that RE2 can match"),
        ("(?:(?:^){20000}){20000}x", "none that RE2 can match"),
        ("\ud800", "none that RE2 can match"),
        (".*", "every text"), ("", "1 to 512 characters"), ("x" * 513, "1 to 512 characters"),
        ("(" * 200 + ")" * 200, "every text"),
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_used_is_refused_by_name(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Joins(first_line=pattern) if pattern else first_line_pattern(pattern)
    if 0 < len(pattern) < 100:
        assert repr(pattern) in str(caught.value)


def test_no_pattern_can_stop_the_agent() -> None:
    """In a process of its own: a pattern that backtracks would never come back."""
    code = """
from logship.rows.first_lines import first_line_pattern
hostile = ["(a+)+$", "(a|a)*b", r".*.*.*.*.*.*x", r"(\\w+\\s?)*$", "(?:a{0,9}){0,99}y",
           "(a+)+b(?:c?){129}", r"^\\S*\\S*\\S*\\S*y", "((a?){50}){20}y"]
for pattern in hostile:
    try:
        matches = first_line_pattern(pattern).Match
    except ValueError:
        continue
    for _ in range(1000):
        matches("a" * 128)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_what_is_joined_must_be_said_in_one_way() -> None:
    with pytest.raises(ValueError, match="one of them"):
        Joins(("java",), "x")
    with pytest.raises(ValueError, match="one of them"):
        Joins()
    with pytest.raises(ValueError, match="'cobol' is not one of java, python"):
        Joins(("cobol",))
