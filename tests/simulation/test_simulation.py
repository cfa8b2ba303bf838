"""The engine in a simulated world: thousands of short lives of an agent, each told by its seed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.scenario import scenario
from tests.simulation.simulation import run

SEEDS = int(os.environ.get("LOGSHIP_SIMULATION_SEEDS", "2000" if os.environ.get("CI") else "300"))
TIMEOUT_SECS = 900
ROOT = Path(__file__).parents[2]
ALL = 10**6


@pytest.mark.timeout(TIMEOUT_SECS + 10)
def test_what_is_on_disk_arrives_once_faults_end_and_no_promise_is_broken_on_the_way() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(SEEDS), "--jobs", "2"]
    done = _simulate(command, hash_seed="random")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("seed", [17, 48])
def test_a_seed_is_the_same_run_again(seed: int) -> None:
    first, again = (run(scenario(seed), keep=ALL) for _ in range(2))
    assert first.trace == again.trace


def test_a_seed_is_the_same_run_in_another_process() -> None:
    """Where texts have other hashes, and things another place in memory."""
    show = (
        "from tests.simulation.scenario import scenario\n"
        "from tests.simulation.simulation import run\n"
        "print(*(run(scenario(seed)).digest for seed in range(40)))"
    )
    one, other = (_simulate([sys.executable, "-c", show], hash_seed=n) for n in ("1", "2"))
    assert one.stdout.split() == other.stdout.split()
    assert len(one.stdout.split()) == 40, one.stderr


def _simulate(command: list[str], *, hash_seed: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": paths}
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=TIMEOUT_SECS
    )
