"""A started sink on a loop of its own, once per sink of the registry."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.contract.harness import Able, Harness
from tests.contract.registry import HARNESSES

T = TypeVar("T")
_WAIT_SECS = 30.0


@dataclass
class Opened:
    """Runs coroutines on the loop on which the sink lives."""

    name: str
    harness: Harness
    runner: asyncio.Runner

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(_bounded(call))

    def needs(self, *abilities: Able) -> None:
        """Skip the test where the destination cannot do this."""
        for ability in abilities:
            if ability not in self.harness.able:
                pytest.skip(f"not so of {self.name}: {ability.value}")


async def _bounded(call: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(_WAIT_SECS):
        return await call


@pytest.fixture(params=HARNESSES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    harness = HARNESSES[request.param](tmp_path)
    with asyncio.Runner() as runner:
        runner.run(_bounded(harness.__aenter__()))
        try:
            yield Opened(request.param, harness, runner)
        finally:
            runner.run(_bounded(harness.__aexit__(None, None, None)))
