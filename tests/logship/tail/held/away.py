"""An agent that was away while the kubelet rotated: what the next one finds and counts as lost."""

import gzip
from pathlib import Path

from logship.tail.loss import Loss
from tests.logship.tail.held.agent import Agent, lines, numbers, rotate

ROWS = 10
"""In each file."""


def keep_five(directory: Path, number: int) -> None:
    """A rotation as the kubelet makes it: the live file, one plain one, three compressed."""
    rotated = sorted(path for path in directory.iterdir() if path.name != "0.log")
    for path in rotated[:-3]:
        path.unlink()
    for path in rotated:
        if path.exists() and path.suffix != ".gz":
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    rotate(directory, number, lines(number * ROWS, ROWS))


def begin(tmp_path: Path) -> Path:
    """File 0 is there, with rows 0-9."""
    directory = tmp_path / "a"
    directory.mkdir()
    (directory / "0.log").write_bytes(lines(0, ROWS))
    return directory


async def read_rows(agent: Agent, count: int) -> None:
    """Read and settle so many rows; what is read further stays unsettled."""
    agent.add("a")
    await agent.bind()
    if count:
        batch = await agent.feed("a").take(count * 100)
        assert batch is not None
        assert len(batch.rows) == count
        agent.feed("a").settle(batch)


async def after_restart(tmp_path: Path) -> tuple[list[int], list[Loss]]:
    """The rows that the next agent finds, in their order, and what it says is lost."""
    agent = Agent(tmp_path)
    agent.add("a")
    await agent.bind()
    found = []
    for _ in range(4):
        found += numbers(await agent.deliver("a"))
        await agent.look()
    assert agent.feed("a").waiting() == 0
    losses = agent.losses["r"]
    await agent.kill()
    return found, losses
