"""The image has what it needs to start, and the Dockerfile is read as docker would read it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.containerd.rollout.build import REPOSITORY
from tests.e2e.containerd.rollout.conftest import Image
from tests.e2e.containerd.rollout.dockerfile import run_config, stages

_IMPORTED = """
import json, os, sys
import aiohttp.web, logship.cli.run
from logship.registry import Registry
list(Registry.installed().summaries())
files = [getattr(module, "__cached__", None) for module in list(sys.modules.values())]
print(json.dumps([file for file in files if file and not os.path.exists(file)]))
"""
BASE: dict[str, object] = {"Env": ["PATH=/bin"], "Cmd": ["python3"]}


def inside(image: Image, *command: str) -> str:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        ["chroot", str(image.root), *command], env=environment,
        capture_output=True, text=True, check=True, timeout=30,
    ).stdout  # fmt: skip


def test_what_a_start_imports_is_compiled_since_the_root_file_system_is_read_only(
    image: Image,
) -> None:
    assert json.loads(inside(image, "/opt/logship/bin/python", "-c", _IMPORTED)) == []


def test_the_image_has_the_compiled_row_kernel_and_no_shell(image: Image) -> None:
    assert "row kernel: compiled" in inside(image, "/opt/logship/bin/logship", "version")
    assert not (image.root / "bin/sh").exists(), "the base of these tests brings none"


def test_a_cmd_of_the_base_is_not_given_to_an_entrypoint() -> None:
    (stage,) = stages('FROM base\nENTRYPOINT ["/program"]\n')
    assert run_config(stage, BASE) == {"Env": ["PATH=/bin"], "Entrypoint": ["/program"]}


def test_what_a_dockerfile_says_of_running_is_in_the_image() -> None:
    text = 'ARG BASE=one\nFROM ${BASE} AS build\nFROM ${BASE}\nENV A=1 \\\n    B="2 3"\nUSER 7\n'
    _, last = stages(text + 'WORKDIR /x\nCMD ["run"]\n')
    assert last.base == "one"
    assert run_config(last, BASE) == {
        "Env": ["PATH=/bin", "A=1", "B=2 3"], "Cmd": ["run"], "User": "7", "WorkingDir": "/x",
    }  # fmt: skip


def test_an_instruction_that_these_tests_do_not_carry_out_is_refused() -> None:
    (stage,) = stages("FROM base\nVOLUME /x\n")
    with pytest.raises(ValueError, match="VOLUME"):
        run_config(stage, BASE)


def test_the_image_that_runs_has_nothing_but_the_base_and_what_was_built() -> None:
    last = stages((REPOSITORY / "Dockerfile").read_text(encoding="utf-8"))[-1]
    assert last.texts("COPY") == ["--from=build /opt/logship /opt/logship"]
    assert all(Path(json.loads(step)[0]).is_absolute() for step in last.texts("RUN")), "no shell"
