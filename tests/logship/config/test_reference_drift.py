"""The generated files under docs/ are what options and metrics say of themselves today."""

from pathlib import Path

import pytest

from logship.config.reference import files
from logship.registry import Registry

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["configuration.md", "logship.schema.json", "metrics.md"])
def test_the_generated_files_have_not_drifted(name: str) -> None:
    expected = files(Registry.installed())[name]
    path = DOCS / name
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    assert written == expected, "run: python -m logship.config.reference --write docs"
