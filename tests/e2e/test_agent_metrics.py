"""`/metrics` and `/readyz` of a real agent: the numbers are those of what it did."""

import re
from pathlib import Path

from tests.e2e.agent_process import Agent
from tests.e2e.configs import containers, logging_sink
from tests.e2e.conftest import MakeAgent
from tests.e2e.kubelet import ContainerLog
from tests.e2e.refusing_logging import REFUSED, refusing_logging
from tests.e2e.waiting import wait_for

FATES = ("delivered", "passed", "dropped", "dead_letter", "released")


def scraped(agent: Agent) -> dict[str, float]:
    """By name, summed over labels."""
    answer = agent.get("/metrics")
    assert answer is not None
    assert answer[0] == 200
    found: dict[str, float] = {}
    for line in answer[1].decode().splitlines():
        if match := re.fullmatch(r"(\w+)(?:\{.*\})? (\S+)", line):
            found[match[1]] = found.get(match[1], 0.0) + float(match[2])
    return found


def test_every_row_is_in_the_metrics_once_over_two_starts(
    make_agent: MakeAgent, tmp_path: Path
) -> None:
    log = ContainerLog(tmp_path / "pods", "web-0")
    texts = [f"row {number}" for number in range(1000)]
    log.say(*texts, *[f"noise {number}" for number in range(20)], f"{REFUSED} 1", f"{REFUSED} 2")
    with refusing_logging() as (endpoint, _):
        agent = make_agent(
            {
                "sources": {"containers": containers(tmp_path / "pods")},
                "routes": [
                    {
                        "name": "all",
                        "from": ["containers"],
                        "transforms": [{"type": "grep", "drop": {"contains": ["noise"]}}],
                        "to": "out",
                    }
                ],
                "sinks": {"out": logging_sink(endpoint, "p")},
            }
        )
        for read, rest in ((1022, (1000, 0, 20, 2)), (1, (1, 0, 0, 0))):
            agent.start()
            agent.wait_delivered(rest[0] + rest[3])
            wait_for("readiness", 20, lambda: (agent.get("/readyz") or (0,))[0] == 200)
            found = scraped(agent)
            assert found["logship_read_rows_total"] == read
            fates = [found.get(f"logship_{fate}_rows_total", 0) for fate in FATES]
            assert fates == [*rest, 0]
            assert found["logship_held_rows"] == found["logship_unaccounted_rows"] == 0
            assert (
                found["logship_write_duration_seconds_count"] == found["logship_writes_total"] > 0
            )
            assert agent.terminate() == 0
            log.say("the last")
