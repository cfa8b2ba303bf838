"""What the agent made of a pod's logs, at both destinations."""

from dataclasses import dataclass
from pathlib import Path

from logship.api import time_ns
from tests.e2e.agent_process import Agent
from tests.e2e.destinations import Arrived, rows_in, texts
from tests.e2e.sandbox_process import SandboxProcess
from tests.e2e.waiting import wait_for

ARRIVAL_SECS = 20.0


@dataclass(frozen=True)
class Shipment:
    agent: Agent
    out: Path
    sandbox: SandboxProcess
    project: str

    def rows(self, pod: str, count: int, secs: float = ARRIVAL_SECS) -> list[Arrived]:
        """The pod's rows, when so many have arrived at both destinations and nothing else comes."""

        def arrived() -> bool:
            if not self.agent.status().drained:
                return False
            return min(len(self._local(pod)), len(self._cloud(pod))) >= count

        try:
            wait_for(f"arrival of {count} rows", secs, arrived)
        except AssertionError as error:
            got = [texts(rows)[:20] for rows in (self._local(pod), self._cloud(pod))]
            raise AssertionError(
                f"{error}: {self.agent.status()} {got}\n{self.agent.log()}"
            ) from None
        local = self._local(pod)
        assert identities(self._cloud(pod)) == identities(local), "the destinations differ"
        assert len(local) == count, texts(local)
        return local

    def _local(self, pod: str) -> list[Arrived]:
        return [row for row in rows_in(self.out) if row.pod == pod]

    def _cloud(self, pod: str) -> list[Arrived]:
        return [row for row in self.sandbox.rows(self.project) if row.pod == pod]


def identities(rows: list[Arrived]) -> list[tuple[str, int, str, str]]:
    """In the order of ids: requests may overtake each other. Times are written in several ways."""
    return sorted((row.id, time_ns(row.time), row.stream, row.text) for row in rows)
