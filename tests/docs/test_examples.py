"""Every configuration that a reader can copy would start: examples/, README.md, docs/*.md."""

import re
from pathlib import Path

import pytest

from tests.docs.command import REPOSITORY, check, unknown_variables

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_FENCED = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def configurations(page: str) -> list[str]:
    """The yaml blocks of a page that are whole configurations."""
    return [block for block in _FENCED.findall(page) if re.search(r"^sources:", block, re.M)]


BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(configurations(page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_is_valid(file: Path) -> None:
    check(file, file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_says_what_it_is_for(file: Path) -> None:
    assert file.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_configuration_in_the_docs_is_valid(block: str, tmp_path: Path) -> None:
    file = tmp_path / "logship.yaml"
    file.write_text(block)
    check(file, block)


def test_there_are_examples_and_configurations_in_the_docs() -> None:
    assert len(EXAMPLES) >= 5
    assert BLOCKS


def test_a_block_is_found_if_it_is_a_whole_configuration() -> None:
    page = "a\n```yaml\nsources: {}\n```\nb\n```yaml\nroutes: []\n```\n```\nsources:\n```\n"
    assert configurations(page) == ["sources: {}\n"]


def test_a_variable_that_is_not_in_the_table_is_found() -> None:
    assert unknown_variables("a: ${PROJECT_ID} $${TEXT} ${NEW} ${OLD:-x}") == {"NEW"}
