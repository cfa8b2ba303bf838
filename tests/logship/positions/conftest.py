"""A node to exchange positions on."""

from pathlib import Path

import pytest

from tests.logship.positions.node import Node


@pytest.fixture
def node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Node:
    return Node(tmp_path, capsys)
