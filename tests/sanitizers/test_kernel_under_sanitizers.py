"""The compiled kernel gets hostile bytes while AddressSanitizer and UBSan watch its memory.

All in processes of their own. Two forms with one target: `fuzz_kernel.py` repeats the inputs that
are kept in `corpus`, and makes others by chance; libFuzzer changes those that reached new branches.
What it kept at the end is then held against the pure kernel, which is too slow to do it each time.
LOGSHIP_FUZZ_SECS is how long libFuzzer runs.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sanitizers import guided_fuzzing
from tests.sanitizers.sanitized_build import Lacking, guided, sanitized

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
FUZZ_SECS = int(os.environ.get("LOGSHIP_FUZZ_SECS", "20"))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a Python whose compiled kernel is the sanitized one."""
    try:
        return sanitized(tmp_path_factory.mktemp("sanitized"))
    except Lacking as error:
        pytest.skip(str(error))


def checked(environment: dict[str, str], *arguments: str) -> None:
    run = subprocess.run(
        [sys.executable, str(HERE / "fuzz_kernel.py"), *arguments],
        env=environment, cwd="/", capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-4000:]
    assert "sanitized" in run.stdout


@pytest.mark.timeout(300)
def test_hostile_bytes_do_no_harm(environment: dict[str, str]) -> None:
    checked(environment, "random", "3000")


@pytest.mark.timeout(300)
def test_what_fuzzers_kept_does_no_harm(environment: dict[str, str]) -> None:
    checked(environment, "replay", str(CORPUS))


def test_what_the_tests_hold_is_not_counted_as_memory_of_the_fuzzer() -> None:
    held = bytearray(300 << 20)  # of this process, as other tests leave it a high peak
    del held
    peak = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    command = guided_fuzzing.bounded([sys.executable, "-S", "-c", peak], 20)
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(said.stdout) < 100 << 10


@pytest.mark.timeout(600)
def test_bytes_that_look_for_new_branches_do_no_harm(
    environment: dict[str, str], tmp_path: Path
) -> None:
    try:
        fuzzer = guided(tmp_path)
    except Lacking as error:
        pytest.skip(str(error))
    found = tmp_path / "found"
    problem = guided_fuzzing.fuzz(tmp_path / "fuzz", fuzzer, found, FUZZ_SECS)
    assert problem is None, problem
    assert any(found.iterdir()), "nothing that libFuzzer tried reached a new branch"
    checked(environment, "replay", str(found))
