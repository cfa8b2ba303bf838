"""Which rows agree, and what is told of those that do not."""

from hypothesis import given
from hypothesis import strategies as st

from logship.trial.comparing import MAX_PAIRS, compare, differences
from logship.trial.options import Row
from logship.trial.shipping import Came


def came(text: str) -> Came:
    return Came(text, "stdout", "2026-01-01T00:00:00Z", None, "INFO", {})


TEXTS = st.lists(st.sampled_from("abc"), max_size=12)


@given(TEXTS)
def test_what_came_agrees_with_itself(texts: list[str]) -> None:
    pairs = compare(texts, list(map(came, texts)))
    assert [(pair.wanted, pair.differences) for pair in pairs] == [
        (number, ()) for number in range(len(texts))
    ]


@given(TEXTS, TEXTS)
def test_every_row_is_told_once_and_in_order(wanted: list[str], texts: list[str]) -> None:
    rows = list(map(came, texts))
    pairs = compare(wanted, rows)
    assert [p.wanted for p in pairs if p.wanted is not None] == list(range(len(wanted)))
    assert [id(p.came) for p in pairs if p.came is not None] == list(map(id, rows))
    for pair in pairs:
        if pair.wanted is not None and pair.came is not None:
            assert bool(pair.differences) == (wanted[pair.wanted] != pair.came.text)


@given(TEXTS, st.integers(0, 12))
def test_one_missing_row_is_the_only_difference(texts: list[str], place: int) -> None:
    wanted = [*texts[:place], "missing", *texts[place:]]
    wrong = [p for p in compare(wanted, list(map(came, texts))) if not p.came or p.differences]
    assert [(wanted[p.wanted or 0], p.came) for p in wrong] == [("missing", None)]


def test_many_rows_are_compared_one_by_one() -> None:
    count = int(MAX_PAIRS**0.5) + 1
    pairs = compare(["a"] * count, [came("a")] * (count - 1) + [came("b")])
    assert [bool(pair.differences) for pair in pairs] == [False] * (count - 1) + [True]


def test_null_is_a_field_that_is_not_there() -> None:
    row = Came("{}", "stdout", "", {"a": None, "b": 1}, "INFO", {"x": "1"})
    assert not list(differences(Row(json={"a": None, "c": None}), row))
    assert [name for name, *_ in differences(Row(json={"b": None}), row)] == ["json.b"]
    assert [name for name, *_ in differences(Row(labels={"x": None}), row)] == ["labels.x"]


def test_a_number_is_no_boolean_and_no_text() -> None:
    row = Came("{}", "stdout", "", {"one": 1, "yes": True}, "INFO", {})
    assert not list(differences(Row(json={"one": 1.0, "yes": True}), row))
    wrong = differences(Row(json={"one": True, "yes": 1}), row)
    assert [name for name, *_ in wrong] == ["json.one", "json.yes"]
    assert list(differences(Row(json={"one": "1"}), row)) == [("json.one", "1", 1)]


def test_a_list_is_compared_as_a_whole_and_by_its_members() -> None:
    row = Came("{}", "stdout", "", {"l": [{"a": 1, "b": 2}, 3]}, "INFO", {})
    assert not list(differences(Row(json={"l": [{"a": 1}, 3]}), row))
    assert [n for n, *_ in differences(Row(json={"l": [{"a": 1}]}), row)] == ["json.l"]
    assert [n for n, *_ in differences(Row(json={"l": [{"a": 2}, 3]}), row)] == ["json.l[0].a"]
