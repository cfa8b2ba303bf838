"""What a table tells of all its rows at once is what its rows say, also of rows that were picked.

The pure twin has no tables: here a table's columns are the reference.
"""

from itertools import compress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logship.rows import kernel

if TYPE_CHECKING:
    from logship.rows._kernel import Table

pytestmark = pytest.mark.skipif(
    kernel.in_use() == "pure", reason="the compiled kernel was not built"
)
MINUTE = len("2026-11-23T04:46")

_times = st.builds(
    lambda minute, seconds, zone: f"{minute}:{seconds:02d}{zone}",
    st.sampled_from(["2026-11-23T04:46", "2026-11-23T04:47", "2025-12-31T23:59"]),
    st.integers(0, 59),
    st.sampled_from(["Z", "Z", "Z", ".1Z", ".123456789Z", "+00:00"]),
)  # fmt: skip
_texts = st.sampled_from(
    ["", "{", '{"a":1}', "I", "I0", "I0101 04:46:31.000000 1 x.go:1] x", "E1231 long enough for it",
     "W2101 04:46:31.000000 1 x", "plain", "日本", "x" * 40]
)  # fmt: skip
_lines = st.lists(st.tuples(_times, _texts), min_size=1, max_size=12)


@st.composite
def _masked(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[bool]]:
    lines = draw(_lines)
    return lines, draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))


def _table(lines: list[tuple[str, str]]) -> "Table":
    block = "".join(f"{time} stdout F {text}\n" for time, text in lines).encode()
    table = kernel.scan(block)
    assert table is not None
    return table


def _surveyed(texts: list[str]) -> tuple[bool, list[int], int]:
    glog = [
        row
        for row, text in enumerate(texts)
        if text[:1] in tuple("DIWEF") and text[1:2] in ("0", "1") and len(text.encode()) > 20
    ]
    longest = max((len(text.encode()) for text in texts), default=0)
    return any(text.startswith("{") for text in texts), glog, longest


@given(_masked())
def test_a_survey_tells_of_every_text(made: tuple[list[tuple[str, str]], list[bool]]) -> None:
    lines, mask = made
    table = _table(lines)
    assert table.survey() == _surveyed([text for _, text in lines])
    texts = [text for _, text in compress(lines, mask)]
    assert table.pick(mask).survey() == _surveyed(texts)


@given(_masked())
def test_no_row_is_of_a_later_minute(made: tuple[list[tuple[str, str]], list[bool]]) -> None:
    lines, mask = made
    table = _table(lines)
    times = [time for time, _ in lines]
    utc = all(time.endswith("Z") for time in times)
    assert table.latest_minute() == (max(times)[:MINUTE] if utc else None)
    kept = list(compress(times, mask))
    latest = table.pick(mask).latest_minute()
    assert (latest is None) == (not utc or not kept)
    assert latest is None or latest >= max(kept)[:MINUTE]


def test_a_row_that_was_joined_is_surveyed_as_it_is_now() -> None:
    first, last = ("2026-11-23T04:46:31Z", "plain"), ("2026-11-23T04:47:31Z", "x")
    folded = _table([first, last]).fold([(1, 0, b"I0101 of two parts, and long enough")], {0})
    assert folded.survey() == (False, [0], 35)
    assert folded.latest_minute() == "2026-11-23T04:47"
