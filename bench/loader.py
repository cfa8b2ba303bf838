"""The loader as it runs: from the sandbox's Pub/Sub, which holds the blocks, into our AppendRows.

The agent fills the subscription first; that is not measured here. What counts is the loader's
process, in MB of the log that the blocks hold.
"""

import sys
import tempfile
from pathlib import Path

import orjson

from bench.agent import Agent, Kind, of_loader, of_path
from bench.destinations import Ports, destination, started
from bench.paths import PATHS
from bench.throughput import Run, checked
from bench.workload import Workload

TOPIC = "blocks"
_HELD_BYTES = 4 << 30


def load(work: Workload, kernel: Kind) -> Run:
    """One run of the loader over the whole workload."""
    with tempfile.TemporaryDirectory(prefix="logship-bench-run-") as made:
        directory = Path(made)
        ready = directory / "sandbox.json"
        command = [
            sys.executable, "-m", "logship.cli", "sandbox", "--no-bigquery", "--topic", TOPIC,
            "--pubsub-max-bytes", str(_HELD_BYTES), "--ready-file", str(ready),
        ]  # fmt: skip
        with started(command, ready), destination(directory, "bigquery") as sink:
            places: dict[str, str] = orjson.loads(ready.read_bytes())
            pubsub, project = places["PUBSUB_EMULATOR_HOST"], places["GOOGLE_CLOUD_PROJECT"]
            _fill(work, directory, kernel, pubsub, project)
            config = of_loader(pubsub, TOPIC, project, sink.ports)
            loader = Agent(directory, kernel, config)
            cost = loader.ship(1, work.rows)
            return checked(cost, work, sink.arrived())


def _fill(work: Workload, directory: Path, kernel: Kind, pubsub: str, project: str) -> None:
    config = dict(of_path(PATHS["pubsub_block"], work, Ports(0, 0)))
    config["sinks"] = {
        "sink": {"type": "pubsub", "project": project, "topic": TOPIC, "endpoint": pubsub}
    }
    Agent(directory, kernel, config).ship(work.files, work.rows)
