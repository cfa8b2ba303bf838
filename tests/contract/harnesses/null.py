"""`null` has no destination: only what holds without one is tested."""

from pathlib import Path

from logship_debug.null import Null, NullConfig

from logship.testing import context
from tests.contract.harness import Harness


class NullHarness(Harness):
    def __init__(self, _: Path) -> None:
        self._context = context("null")

    async def __aenter__(self) -> "NullHarness":
        self.sink = Null(NullConfig(), self._context)
        await self.sink.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sink.close()
        self._context.world.offload.close()
