"""The wheel holds the engine, the plugins and their entry points."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


COPIED = (
    "logship", "plugins", "logship_sandbox", "pyproject.toml", "setup.py", "MANIFEST.in",
    "README.md", "LICENSE",
)  # fmt: skip


def install(tmp_path_factory: pytest.TempPathFactory, **environment: str) -> Path:
    """A directory into which the wheel, built from a copy of the sources, is unpacked."""
    source = tmp_path_factory.mktemp("source")
    for name in COPIED:
        subprocess.run(["cp", "-r", str(ROOT / name), str(source)], check=True)
    for built in [*source.glob("logship/rows/*.so"), source / "logship/rows/_kernel.c"]:
        built.unlink(missing_ok=True)
    target = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--target", str(target), str(source)], check=True, timeout=110,
        env={**os.environ, **environment},
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory)


def logship(installed: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command, from the wheel alone: not from this checkout."""
    return subprocess.run(
        [sys.executable, "-m", "logship.cli", *words], cwd=installed, text=True, timeout=60,
        capture_output=True, env={**os.environ, "PYTHONPATH": str(installed)}, check=False,
    )  # fmt: skip


def test_the_installed_wheel_finds_all_its_plugins(installed: Path) -> None:
    run = logship(installed, "plugins")
    assert run.returncode == 0, run.stderr
    assert "not usable" not in run.stdout
    names = {tuple(line.split()[:2]) for line in run.stdout.splitlines()}
    assert {("source", "kubernetes"), ("transform", "redact"), ("sink", "bigquery")} <= names


def test_the_installed_wheel_validates_an_example(installed: Path) -> None:
    config = installed / "logship.yaml"
    config.write_text(
        "sources: {logs: {type: files, paths: [/var/log/app/*.log]}}\n"
        "routes: [{name: all, from: [logs], to: out}]\n"
        "sinks: {out: {type: stdout}}\n"
    )
    run = logship(installed, "validate", "-c", str(config))
    assert (run.returncode, run.stderr) == (0, "")
    assert "all -> out" in run.stdout


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_wheel_has_the_compiled_kernel_where_it_can_be_built(installed: Path) -> None:
    run = logship(installed, "version")
    assert "row kernel: compiled" in run.stdout, run.stderr


def test_without_a_compiler_it_installs_and_says_what_is_in_use(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    installed = install(tmp_path_factory, CC="/bin/false")
    run = logship(installed, "version")
    assert "row kernel: pure" in run.stdout, run.stderr
