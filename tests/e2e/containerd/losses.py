"""What the agent's log says of rows that were lost, per container."""

import re
from dataclasses import dataclass

from tests.e2e.agent_process import Agent
from tests.e2e.verdict import loud_lines

_LOSS = re.compile(
    r"route (?P<route>\S+) lost rows of pod (?P<namespace>[^/]+)/(?P<pod>[^,]+), "
    r"container (?P<container>\S+) \(.*\) "
    r"\((?:nobody knows how many bytes|(?P<bytes>\d+) bytes(?P<least> at least)?), "
    r"from (?P<settled>\S+) to (?P<found>\S+)\): (?P<why>.+)"
)


@dataclass(frozen=True)
class Lost:
    pod: str
    container: str
    bytes: int | None
    """None: nobody knows."""
    exact: bool
    settled: str
    """The time of the last settled row."""
    found: str
    """The time of the first row after it that was there."""


def losses_of(agent: Agent, pod: str) -> list[Lost]:
    found = map(_LOSS.search, loud_lines(agent))
    lost = [_lost(match) for match in found if match is not None]
    return [one for one in lost if one.pod == pod]


def _lost(match: re.Match[str]) -> Lost:
    size = match["bytes"]
    return Lost(
        match["pod"], match["container"], None if size is None else int(size),
        size is not None and match["least"] is None, match["settled"], match["found"],
    )  # fmt: skip


def only_loss(agent: Agent, pod: str) -> Lost:
    lost = losses_of(agent, pod)
    assert len(lost) == 1, f"{lost}\n{agent.log()}"
    return lost[0]
