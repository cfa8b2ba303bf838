"""A node as another agent left it: logs of pods, links to them, a configuration, an empty state."""

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from logship.checkpoint import FILE_NAME
from logship.cli import main
from logship.journal import Key, Saved, parse
from logship.testing import cri_line

_CONFIG = """\
cluster: prod
node: node-1
sources:
  containers:
    type: kubernetes
    root: {home}/pods
    metadata: {{from: none}}
routes:
  - {{name: first, from: [containers], to: out, continue: true}}
  - {{name: second, from: [containers], to: out}}
sinks: {{out: {{type: file, dir: {home}/out}}}}
state_dir: {home}/state
"""
SECOND_NS = 1_000_000_000
BEGIN_NS = 1_700_000_000 * SECOND_NS
"""2023-11-14: long before the ten minutes of `start_from`."""


class Said(NamedTuple):
    code: int
    out: str
    err: str


def lines(count: int, *, first: int = 0) -> bytes:
    """CRI lines, a second after each other; number n is `row n`."""
    numbers = range(first, first + count)
    return b"".join(cri_line(f"row {n}", time_ns=BEGIN_NS + n * SECOND_NS) for n in numbers)


@dataclass
class Node:
    home: Path
    capsys: pytest.CaptureFixture[str] | None = None

    def __post_init__(self) -> None:
        (self.home / "pods").mkdir()
        (self.home / "containers").mkdir()
        (self.home / "logship.yaml").write_text(_CONFIG.format(home=self.home))

    def log(self, pod: str, content: bytes) -> Path:
        """The live log of the pod's container `app`."""
        directory = self.home / "pods" / f"shop_{pod}_uid-{pod}" / "app"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "0.log"
        path.write_bytes(content)
        self.link(pod).unlink(missing_ok=True)
        self.link(pod).symlink_to(path)
        return path

    def link(self, pod: str) -> Path:
        """As the kubelet makes it, and as other agents' `path` finds the log."""
        return self.home / "containers" / f"{pod}_shop_app-{'0' * 64}.log"

    def rotate(self, pod: str, content: bytes, *, compress: bool = False) -> Path:
        """What kubelet and runtime do; the renamed file."""
        live = self.link(pod).resolve()
        rotated = live.with_name("0.log.20261123-094500")
        live.rename(rotated)
        live.write_bytes(content)
        if compress:
            subprocess.run(["gzip", str(rotated)], check=True)
            return rotated.with_name(f"{rotated.name}.gz")
        return rotated

    def run(self, action: str, *words: str) -> Said:
        assert self.capsys is not None
        code = main(["positions", action, "-c", str(self.home / "logship.yaml"), *words])
        return Said(code, *self.capsys.readouterr())

    def saved(self) -> dict[Key, Saved]:
        return parse((self.home / "state" / FILE_NAME).read_bytes()).positions

    def offsets(self, route: str = "first") -> dict[str, int]:
        """Where the route stands, by pod."""
        return {
            key.origin.split("/")[1].removeprefix("uid-"): saved.position.offset
            for key, saved in self.saved().items()
            if key.origin and key.route == route
        }


Others = Callable[[Node, Sequence[tuple[str, int, int]]], Path]
"""Writes what another agent saves: (path, inode, offset) of each file."""


def inode(path: Path) -> int:
    return os.stat(path).st_ino
