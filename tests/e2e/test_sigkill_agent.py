"""The agent alone is killed under load: nothing is lost, and copies can be told as copies.

A shorter run than that of the whole pipeline, with nothing between the agent and what is looked at.
"""

from pathlib import Path

import pytest

from tests.e2e.account import Account, Copy
from tests.e2e.configs import containers, file_sink, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.destinations import each_row_in
from tests.e2e.kills import NETWORK, kill_again_and_again, kills_of_the_run, seed_of_the_run
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.traffic import Traffic
from tests.e2e.verdict import judge

PODS = 8
BYTES_PER_SEC = 5_500_000
MIN_BYTES_PER_SEC = 5_000_000
CATCH_UP_SECS = 60.0


@pytest.mark.timeout(240)
def test_an_agent_killed_under_load_loses_nothing_and_copies_agree(
    make_agent: MakeAgent,
    sandbox: SandboxProcess,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed, kills = seed_of_the_run(), kills_of_the_run() // 4
    with capsys.disabled():
        print(f"\nLOGSHIP_E2E_SEED={seed}, {kills} kills")
    agent = make_agent(
        {
            "sources": {"containers": containers(tmp_path / "pods")},
            "routes": [
                {"name": "local", "from": ["containers"], "to": "files", "continue": True},
                {"name": "cloud", "from": ["containers"], "to": "gcl"},
            ],
            "sinks": {
                "files": file_sink(tmp_path / "out"),
                "gcl": logging_sink(sandbox.logging_endpoint, "killed"),
            },
        }
    )
    sandbox.trouble("logging", NETWORK)
    traffic = Traffic(tmp_path / "pods", PODS, BYTES_PER_SEC)
    traffic.start()
    agent.start()
    kill_again_and_again([agent], kills, seed)
    written = traffic.stop()
    agent.wait_idle(CATCH_UP_SECS)
    sandbox.end_trouble()
    local = Account().note(map(Copy.of, each_row_in(tmp_path / "out", torn=True)))
    cloud = Account().note(map(Copy.of, sandbox.each_row("killed")))
    with capsys.disabled():
        print(
            f"{sum(written.values())} rows, {traffic.written_bytes / traffic.secs / 1e6:.1f} MB/s, "
            f"{traffic.rotations} rotations ({traffic.torn_rotations} inside of a row), "
            f"copies: {local.copies} in the file, {cloud.copies} in Cloud Logging"
        )
    judge({"file": local, "Cloud Logging": cloud}, written, traffic, [agent])
    shown = (local.copies, cloud.copies, traffic.torn_rotations)
    assert min(shown) > 0, f"else this test shows less than it says: {shown}"
    if traffic.written_bytes / traffic.secs < MIN_BYTES_PER_SEC:
        pytest.skip("nothing was lost, but this machine is too busy to write 5 MB/s")
