"""The page for developers names every annotation and every reason, and its examples are true."""

import re
from collections.abc import Mapping

import pytest
from logship_tail.annotations import NAMES, PREFIX, wish_of
from logship_tail.pods import annotations_of

from logship.api import Cutting, Joins, Labels, Wish
from logship.origin import PROBLEMS
from logship.wishes import MAX_SHOWN
from tests.docs.command import REPOSITORY

PAGE = (REPOSITORY / "docs" / "annotations.md").read_text(encoding="utf-8")


def wished(annotations: Mapping[str, str]) -> Wish:
    found = annotations_of(annotations, "app")
    labels = Labels({f"annotation:{key}": value for key, value in found.items()})
    return wish_of(labels, Cutting())


def rows_of(head: str) -> list[str]:
    table = PAGE.split(head, 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| \[?`([^`]+)`", table, re.M)


def test_the_table_names_every_annotation_with_a_section_for_each() -> None:
    assert sorted(rows_of("| Annotation | Values | Example |")) == sorted(NAMES)
    sections = re.findall(r"^## (\w+)$", PAGE, re.M)
    assert sorted(sections) == sorted(name.removeprefix(PREFIX) for name in NAMES)


def test_the_page_names_every_reason_and_how_many_are_shown() -> None:
    assert sorted(rows_of("| Reason | |")) == sorted(PROBLEMS)
    assert f"the latest {MAX_SHOWN}" in PAGE


EXAMPLES = re.findall(r"^(?:    |\| .*`)((?:app\.)?logship/\w+): '?\"?([^'\"`\n]+)", PAGE, re.M)


@pytest.mark.parametrize(("name", "value"), EXAMPLES, ids=lambda text: text)
def test_an_example_asks_for_something_and_has_no_problem(name: str, value: str) -> None:
    wish = wished({name: value})
    assert not wish.problems
    asks_nothing = {"logship/severity_keys", "logship/format"}
    if name.removeprefix("app.") not in asks_nothing and value != "none":
        assert wish != Wish(Cutting())


def test_there_is_an_example_of_each() -> None:
    assert {name.removeprefix("app.") for name, _ in EXAMPLES} == {*NAMES}


def test_the_message_is_the_one_that_is_written() -> None:
    (problem,) = wished({"logship/format": "jsn"}).problems
    said = f"annotation {problem.annotation} of this pod is `jsn`: {problem.advice}; it is ignored"
    assert said in PAGE


def test_none_is_the_way_to_have_nothing_joined() -> None:
    labels = Labels({"annotation:logship/multiline": "none"})
    assert wish_of(labels, Cutting(joins=Joins(("java",)))).cutting == Cutting()
