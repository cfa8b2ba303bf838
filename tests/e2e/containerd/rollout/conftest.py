"""The image, once for all tests here, and one rollout for all that look at it."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.containerd.daemon import Containerd
from tests.e2e.containerd.rollout.build import NoIndex, build_image
from tests.e2e.containerd.rollout.node import TOPIC, Node
from tests.e2e.containerd.rollout.scenario import Seen, roll_out
from tests.e2e.sandbox_process import SandboxProcess

REFERENCE = "localhost/logship:0.1.0"


@dataclass(frozen=True)
class Image:
    reference: str
    root: Path
    """Its files."""


@pytest.fixture(scope="session")
def image(containerd: Containerd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Built by the Dockerfile's steps, and loaded."""
    absent = [name for name in ("cc", "strip", "ldd", "unshare") if shutil.which(name) is None]
    if absent:
        pytest.skip(f"needs {', '.join(absent)}: the image is built here")
    home = tmp_path_factory.mktemp("image")
    try:
        root = build_image(home, home / "image.tar", REFERENCE)
    except NoIndex as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"pip finds no packages to install into the image: {error}"[:500])
    containerd.load(home / "image.tar")
    for archive in home.glob("*.tar"):
        archive.unlink()
    yield Image(REFERENCE, root)
    shutil.rmtree(root)  # a hundred megabytes that pytest would keep


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    home = tmp_path_factory.mktemp("cloud")
    process = SandboxProcess(home, "--no-bigquery", "--topic", TOPIC)
    try:
        yield process
    finally:
        process.close()


@pytest.fixture(scope="module")
def seen(
    containerd: Containerd,
    cloud: SandboxProcess,
    image: Image,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Seen]:
    node = Node(tmp_path_factory.mktemp("node"), containerd, cloud)
    try:
        yield roll_out(node, image.reference)
    finally:
        node.close()
