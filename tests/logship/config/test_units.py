"""Sizes and durations: what is taken, and that writing and reading are inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.units import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
    parse_start_from,
    parser_for,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("512", 512), ("7B", 7), ("64KiB", 65536), ("64Ki", 65536), ("10MB", 10_000_000),
     ("10 mb", 10_000_000), ("1.5GiB", 1610612736), ("2TiB", 2 << 40), ("3kB", 3000), ("0.3B", 0)],
)  # fmt: skip
def test_a_size_is_read_with_its_unit(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e6", "10 XB", "64m", "1.MiB", "1,5GiB", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_size(text)


@given(st.integers(0, 10**17))
def test_a_size_survives_writing_and_reading(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize(
    ("text", "secs"),
    [("0", 0), ("30", 30), ("0.5", 0.5), ("500ms", 0.5), ("10m", 600), ("1h30m", 5400),
     ("7d", 604800), ("1d1h1m1s1ms", 90061.001), ("1.5h", 5400)],
)  # fmt: skip
def test_a_duration_is_read_with_its_units(text: str, secs: float) -> None:
    assert parse_duration(text) == secs


@pytest.mark.parametrize("text", ["", "m", "-1s", "30m1h", "10 m", "1w", "1h30", "inf", "1e3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(text)


@given(st.floats(0, 1e15) | st.integers(0, 10**9).map(lambda ms: ms / 1000))
def test_a_duration_survives_writing_and_reading(secs: float) -> None:
    if 0 < secs < 1e-9:  # nobody writes less than a nanosecond
        secs = 0.0
    assert parse_duration(format_duration(secs)) == secs


@pytest.mark.parametrize(
    ("secs", "text"),
    [(0.0, "0s"), (600.0, "10m"), (604800.0, "7d"), (0.25, "250ms"), (1.5, "1.5s")],
)
def test_a_duration_is_written_as_people_write_it(secs: float, text: str) -> None:
    assert format_duration(secs) == text


def test_start_from_is_a_word_or_a_duration() -> None:
    assert [parse_start_from(text) for text in ("now", "beginning", "10m")] == [
        "now",
        "beginning",
        600.0,
    ]
    with pytest.raises(ValueError, match="`now`, `beginning` or a duration"):
        parse_start_from("yesterday")


def test_the_name_of_an_option_tells_its_unit() -> None:
    assert parser_for("max_bytes") is parse_size
    assert parser_for("drain_timeout_secs") is parse_duration
    assert parser_for("start_from") is parse_start_from
    assert parser_for("topic") is None
