"""A run of the API's metadata against the stub, and what it has learnt."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from logship_tail.api_server import Account, ApiServer
from logship_tail.kept import Keep
from logship_tail.pods import Pods
from logship_tail.pods_api import PodsFromApi
from logship_tail.reflecting import Timing

from logship.api import Labels
from logship.testing import context
from tests.plugins.logship_tail.api_stub import (
    ApiStub,
    pod,
)
from tests.plugins.logship_tail.recording import BOUND_SECS

QUICK = Timing(
    start_secs=0.0, answer_secs=5.0, silence_secs=5.0, pause_secs=0.01, max_pause_secs=0.05
)


@dataclass
class Known:
    """What the watcher of pods has learnt."""

    pods: Pods = field(init=False)
    changes: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self) -> None:
        self.changes += 1
        self._changed.set()

    def labels(self, name: str, uid: str) -> Labels:
        return self.pods.labels({"namespace": "shop", "pod": name, "uid": uid})

    def app(self, name: str = "web", uid: str = "u1") -> str:
        return self.labels(name, uid).get("label:app")

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_SECS):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_app(self, app: str) -> None:
        await self.until(lambda: self.app() == app)


@asynccontextmanager
async def following(
    stub: ApiStub,
    directory: Path,
    timing: Timing = QUICK,
    keep_secs: float = 300.0,
    *,
    namespaces: bool = False,
) -> AsyncIterator[Known]:
    here = context("containers")
    known = Known()
    known.pods = Pods(
        here.world.clock, Keep(keep_secs), known.note, with_namespaces=namespaces
    )  # fmt: skip
    account = Account(stub.url, str(directory / "token"), str(directory / "ca.crt"))
    server = ApiServer(account, here)
    api = PodsFromApi(server, here, namespaces=namespaces, timing=timing)
    task = asyncio.create_task(api.run(known.pods))
    try:
        yield known
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])
        here.world.offload.close()


def web(app: str) -> dict[str, object]:
    return pod("web", "u1", labels={"app": app})
