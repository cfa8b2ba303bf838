"""What `logship validate` says of configurations of the real plugins that are wrong.

Each broken/*.yaml has beside it the *.txt that a person sees. UPDATE_GOLDEN=1 rewrites the texts;
read their difference before you keep it.
"""

import os
import re
from pathlib import Path

import pytest

from tests.docs.command import ENVIRONMENT, validate

FOLDER = Path(__file__).parent / "broken"
BROKEN = sorted(FOLDER.glob("*.yaml"))
WRONG_KEY = "tooshort"
_PROBLEM = re.compile(r"^[a-z_]+\.yaml:\d+:\d+: (error|warning): [a-z_]+[a-z0-9_\-.\[\]]*: .+$")


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_configuration_is_explained(file: Path) -> None:
    environment = {**ENVIRONMENT, "WRONG_KEY": WRONG_KEY}
    answer = validate(Path(file.name), environment, cwd=FOLDER)
    golden = file.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(answer.err, encoding="utf-8")
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert WRONG_KEY not in answer.err
    assert answer.err == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_problem_names_file_line_and_path(file: Path) -> None:
    golden = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    problems = [line for line in golden if line.startswith(file.name)]
    assert problems
    assert all(_PROBLEM.match(line) for line in problems), problems


def test_there_are_a_dozen() -> None:
    assert len(BROKEN) >= 12


def test_a_file_that_is_not_there_is_named() -> None:
    answer = validate(Path("missing.yaml"), cwd=FOLDER)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "missing.yaml: cannot be read: No such file or directory\n"


def test_a_file_that_is_not_utf_8_is_named_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "logship.yaml"
    file.write_bytes(b"cluster: caf\xe9\n")
    answer = validate(file)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"{file}: not UTF-8 at byte 12: save it as UTF-8\n"
