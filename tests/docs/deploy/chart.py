"""The chart, rendered by the real helm."""

import subprocess
from pathlib import Path
from shutil import which

import pytest
import yaml

from tests.docs.manifests import DEPLOY

HELM = which("helm")
CHART = DEPLOY / "chart"
needs_helm = pytest.mark.skipif(
    HELM is None, reason="helm is not on PATH (.ci/deploy-tools fetches it)"
)

Object = dict[str, object]


def helm(*words: str) -> "subprocess.CompletedProcess[str]":
    assert HELM is not None
    return subprocess.run([HELM, *words], capture_output=True, text=True, timeout=60, check=False)


def render(*values: str, file: str | None = None, release: str = "logship") -> str:
    """The manifests for a release in the namespace logship."""
    files = [] if file is None else ["-f", str(CHART / file)]  # an absolute path stays as it is
    settings = [word for value in values for word in ("--set", value)]
    done = helm("template", release, str(CHART), "-n", "logship", *files, *settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(text: str) -> dict[tuple[str, str], Object]:
    """By kind and name; configurations as what they say, whatever their comments."""
    found = {}
    for one in yaml.safe_load_all(text):
        if one is None:
            continue
        for name, content in one.get("data", {}).items():
            one["data"][name] = yaml.safe_load(content)
        found[one["kind"], one["metadata"]["name"]] = one
    return found


def in_files(*files: Path) -> dict[tuple[str, str], Object]:
    """What these manifests have."""
    text = "\n---\n".join(file.read_text(encoding="utf-8") for file in files)
    return objects(text)
