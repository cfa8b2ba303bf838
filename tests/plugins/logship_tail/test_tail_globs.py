"""Globs: the directories they lead to and the paths they fit agree with Python's own glob."""

import glob as standard
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_tail.globs import Glob
from logship_tail.rotations import families, live_path

NAMES = ["a", "b", "ab", "a.log", "b.log", ".h", "[x]", "a-1"]
PARTS = ["*", "**", "a*", "*.log", "?", "[ab]", "[!a]*", ".*", "a", "ab", "[[]x]", "*b*"]


@pytest.fixture(scope="module")
def tree() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        top = Path(made) / "top"
        for first in NAMES:
            for second in NAMES:
                (top / first / second).mkdir(parents=True)
                for name in NAMES:
                    (top / first / second / name).touch()
            (top / first / "file.log").touch()
        (top / "file.log").touch()
        yield top


def list_directories(directory: str) -> list[str]:
    if not os.path.isdir(directory):
        return []
    return [entry.name for entry in os.scandir(directory) if entry.is_dir()]


def found(pattern: Glob) -> set[str]:
    fits = pattern.matcher().fullmatch
    return {
        entry.path
        for directory in pattern.directories(list_directories)
        if os.path.isdir(directory)
        for entry in os.scandir(directory)
        if entry.is_file() and fits(entry.path)
    }


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
def test_globs_find_what_pythons_glob_finds(tree: Path, parts: list[str]) -> None:
    text = "/".join([str(tree), *parts])
    expected = {path for path in standard.glob(text, recursive=True) if os.path.isfile(path)}
    if parts[-1] == "**":
        expected |= set(standard.glob(f"{text}/*", recursive=True))
        expected = {path for path in expected if os.path.isfile(path)}
    assert found(Glob(text)) == expected


@given(parts=st.lists(st.sampled_from(PARTS), min_size=1, max_size=4))
def test_every_file_that_fits_lies_in_a_directory_that_is_looked_at(
    tree: Path, parts: list[str]
) -> None:
    pattern = Glob("/".join([str(tree), *parts]))
    fits = pattern.matcher().fullmatch
    everything = {
        os.path.join(directory, name)
        for directory, _, names in os.walk(tree)
        for name in names
    }  # fmt: skip
    assert {path for path in everything if fits(path)} == found(pattern)


@given(
    suffix=st.sampled_from([".1", ".12.gz", "-20261123", "-20261123.gz", ".old", ".gz", ".1.xz"])
)
def test_a_rotated_name_is_its_logs_where_the_globs_take_the_log(suffix: str) -> None:
    assert live_path(f"/d/app.log{suffix}", lambda path: path.endswith(".log")) == "/d/app.log"
    assert live_path(f"/d/app.log{suffix}", lambda path: False) is None


@pytest.mark.parametrize("name", ["mail.err", "app-errors.log", "x1", "v1.2.txt", "a.log.md5"])
def test_a_name_that_merely_extends_another_is_a_log_of_its_own(name: str) -> None:
    assert live_path(f"/d/{name}", lambda path: True) == f"/d/{name}"


def test_families_have_one_log_each() -> None:
    paths = ["/d/b.1", "/d/a", "/d/a.1", "/d/a.2.gz", "/e/a.1"]
    logs = families(paths, lambda path: live_path(path, lambda path: True))
    assert [(log.live, sorted(log.files)) for log in logs] == [
        ("/d/a", ["a", "a.1", "a.2.gz"]),
        ("/d/b", ["b.1"]),
        ("/e/a", ["a.1"]),
    ]
