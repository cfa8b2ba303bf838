"""Agent and loader are each killed 20 times under load: nothing is lost, copies can be dropped.

The same rows go to Cloud Logging, and through Pub/Sub and the loader into BigQuery.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.account import Account, Copy
from tests.e2e.configs import containers, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.kills import NETWORK, kill_again_and_again, kills_of_the_run, seed_of_the_run
from tests.e2e.pipeline import PROJECT, Table, loader, make_topic, pubsub_sink
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.traffic import Traffic
from tests.e2e.verdict import judge
from tests.e2e.waiting import wait_for

PODS = 8
BYTES_PER_SEC = 5_500_000
MIN_BYTES_PER_SEC = 5_000_000
CATCH_UP_SECS = 60.0


@pytest.fixture
def google(tmp_path: Path) -> Iterator[SandboxProcess]:
    """The whole sandbox."""
    process = SandboxProcess(tmp_path)
    try:
        yield process
    finally:
        process.close()


def agent_config(root: Path, google: SandboxProcess) -> dict[str, object]:
    return {
        "sources": {"containers": containers(root)},
        "routes": [
            {"name": "cloud", "from": ["containers"], "to": "gcl", "continue": True},
            {"name": "app", "from": ["containers"], "to": "topic"},
        ],
        "sinks": {
            "gcl": logging_sink(google.logging_endpoint, PROJECT),
            "topic": pubsub_sink(google),
        },
    }


def wait_loaded(table: Table, rows: int) -> None:
    """Until all are there, or no more come: then the account tells which ones are missing."""
    while (seen := table.ids()) < rows:
        if not grows(table, seen):
            return


def grows(table: Table, seen: int) -> bool:
    with suppress(AssertionError):
        return wait_for("more rows", CATCH_UP_SECS, lambda: table.ids() > seen)
    return False


@pytest.mark.timeout(300)
def test_agent_and_loader_killed_under_load_lose_nothing_and_copies_can_be_dropped(
    make_agent: MakeAgent,
    google: SandboxProcess,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed, kills = seed_of_the_run(), kills_of_the_run()
    with capsys.disabled():
        print(f"\nLOGSHIP_E2E_SEED={seed}, {kills} kills of each")
    make_topic(google)
    google.trouble("all", NETWORK)
    agent = make_agent(agent_config(tmp_path / "pods", google), "agent")
    reader = make_agent(loader(google), "loader")
    traffic = Traffic(tmp_path / "pods", PODS, BYTES_PER_SEC)
    began = time.monotonic()
    traffic.start()
    agent.start(wait=False)
    reader.start(wait=False)
    kill_again_and_again([agent, reader], kills, seed)
    written = traffic.stop()
    killed = time.monotonic()
    agent.wait_idle(CATCH_UP_SECS)
    table = Table(google)
    wait_loaded(table, sum(written.values()))
    arrived = time.monotonic()
    google.end_trouble()
    cloud = Account().note(map(Copy.of, google.each_row(PROJECT)))
    loaded = Account().note(table.copies())
    with capsys.disabled():
        print(
            f"{sum(written.values())} rows, {traffic.written_bytes / traffic.secs / 1e6:.1f} MB/s, "
            f"{traffic.rotations} rotations ({traffic.torn_rotations} inside of a row), "
            f"copies: {cloud.copies} in Cloud Logging, {loaded.copies} in BigQuery; seconds: "
            f"kills {killed - began:.0f}, catching up {arrived - killed:.0f}, "
            f"checks {time.monotonic() - arrived:.0f}"
        )
    judge({"Cloud Logging": cloud, "BigQuery": loaded}, written, traffic, [agent, reader])
    assert table.doubled_in_the_view() == 0
    assert table.rows_of_the_view() == sum(written.values())
    shown = (cloud.copies, loaded.copies, traffic.torn_rotations)
    assert min(shown) > 0, f"else this test shows less than it says: {shown}"
    if traffic.written_bytes / traffic.secs < MIN_BYTES_PER_SEC:
        pytest.skip("nothing was lost, but this machine is too busy to write 5 MB/s")
