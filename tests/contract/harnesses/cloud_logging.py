"""`cloud_logging` against the sandbox's Cloud Logging, which keeps every copy as it came."""

import asyncio
from pathlib import Path

import psutil
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.sink import CloudLogging

from logship.api import time_ns
from logship.testing import context
from logship.world import Clock, Disk, Offload, World
from logship_sandbox.faults import Fault
from logship_sandbox.server import Options, Sandbox
from tests.contract.harness import Able, Harness, Stored

_WAIT_SECS = 10.0
_DAY_NS = 86_400 * 1_000_000_000


class ClockAhead(Clock):
    """Of a node that lives three days ahead: it cannot see which rows Google takes for future."""

    def wall_ns(self) -> int:
        return super().wall_ns() + 3 * _DAY_NS


class CloudLoggingHarness(Harness):
    able = frozenset(Able)
    max_text_bytes = 200_000

    def __init__(self, _: Path) -> None:
        offload = Offload(threads=2)
        self._context = context("gcl", using=World(ClockAhead(), Disk(offload), offload))
        self._sandbox = Sandbox(Options(bigquery=False))

    async def __aenter__(self) -> "CloudLoggingHarness":
        await self._sandbox.start()
        config = CloudLoggingConfig(
            project="p", location="here", endpoint=f"http://127.0.0.1:{self._sandbox.logging_port}"
        )
        self.sink = CloudLogging(config, self._context)
        await self.sink.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.sink.close()
        await self._sandbox.close()
        self._context.world.offload.close()

    async def stored(self) -> list[Stored]:
        return [
            Stored(entry["insertId"], time_ns(entry["timestamp"]), entry.get("textPayload", ""))
            for entry in self._sandbox.logging.store.entries()
        ]

    def refused_row(self) -> tuple[str, int]:
        return "written by a node whose clock is ahead", 2 * _DAY_NS

    def defer(self) -> None:
        self._sandbox.faults.set("logging", Fault(partial_every=4))

    def fail(self) -> None:
        self._sandbox.faults.set("logging", Fault(share_503=1.0))

    def flake(self) -> None:
        fault = Fault(share_503=0.2, share_429=0.1, share_lost=0.1, share_dropped=0.1, seed=7)
        self._sandbox.faults.set("logging", fault)

    def lose(self) -> None:
        self._sandbox.faults.set("logging", Fault(share_lost=1.0))

    def stall(self) -> None:
        self._sandbox.faults.set("logging", Fault(share_hung=1.0))

    async def stalled(self) -> None:
        async with asyncio.timeout(_WAIT_SECS):
            while not self._sandbox.logging.counts.errors["hang"]:  # the sandbox tells by counts
                await asyncio.sleep(0.001)

    def heal(self) -> None:
        self._sandbox.faults.clear()

    def held_open(self) -> list[str]:
        port = self._sandbox.logging_port
        connections = psutil.Process().net_connections("tcp")
        return [str(c) for c in connections if c.raddr and c.raddr.port == port]
