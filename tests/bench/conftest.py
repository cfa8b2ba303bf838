"""Small workloads, written once for all tests of the benchmark."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from bench.workload import Workload, make

BYTES = 300_000


@pytest.fixture(scope="session")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Workload]:
    """(kind, files) -> some hundred KB of it."""

    @cache
    def made(kind: str, files: int) -> Workload:
        directory: Path = tmp_path_factory.mktemp(f"{kind}-{files}")
        return make(kind, directory, files, BYTES)

    return made
