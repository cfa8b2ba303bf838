"""What people see for configurations that are wrong: each broken/*.yaml beside its *.txt.

UPDATE_GOLDEN=1 rewrites the texts; read their difference before you keep it.
"""

import os
from pathlib import Path

import pytest

from logship.config import ConfigErrors, examine, load, render
from logship.registry import Registry

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
ENV = {"SECRET": "hunter2", "PROJECT_ID": "my-project"}


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_config_is_explained(path: Path, registry: Registry) -> None:
    text = path.read_text(encoding="utf-8")
    shown = render(examine(text, file=path.name, env=ENV, registry=registry).problems) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_no_value_of_the_environment_is_shown(path: Path, registry: Registry) -> None:
    text = path.read_text(encoding="utf-8")
    problems = examine(text, file=path.name, env=ENV, registry=registry).problems
    assert problems
    assert "hunter2" not in render(problems)
    assert "hunter2" not in repr(problems)


def test_load_raises_all_errors_at_once(registry: Registry) -> None:
    text = next(p for p in BROKEN if p.stem == "wrong_values").read_text(encoding="utf-8")
    with pytest.raises(ConfigErrors) as raised:
        load(text, file="logship.yaml", env={}, registry=registry)
    assert len(raised.value.problems) == 14
    assert str(raised.value) == render(raised.value.problems)


def test_warnings_do_not_stop_loading(registry: Registry) -> None:
    text = next(p for p in BROKEN if p.stem == "doubtful").read_text(encoding="utf-8")
    examined = examine(text, file="logship.yaml", env={}, registry=registry)
    assert examined.config is not None
    assert {problem.level for problem in examined.problems} == {"warning"}
