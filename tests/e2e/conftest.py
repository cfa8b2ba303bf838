"""Agents and sandboxes as processes of their own; all of them are ended with their test."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.agent_process import Agent
from tests.e2e.sandbox_process import SandboxProcess

MakeAgent = Callable[..., Agent]


@pytest.fixture
def make_agent(tmp_path: Path) -> Iterator[MakeAgent]:
    """Build an `Agent` of a configuration; it is not started yet."""
    made: list[Agent] = []

    def make(config: Mapping[str, object], name: str = "agent") -> Agent:
        agent = Agent(tmp_path, config, name)
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.kill()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One for all tests of a file: each uses a project of its own."""
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"), "--no-bigquery")
    try:
        yield process
    finally:
        process.close()
