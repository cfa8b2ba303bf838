"""The agent's own HTTP server, over a socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from logship.admin import KEPT_SECS, Admin, Kept
from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.testing import world
from logship.testing.virtual_time import VirtualClock, run_virtual

CONFIG = """\
sources: {{out: {{type: files, paths: [{directory}/*.log]}}}}
routes: [{{name: all, from: [out], to: shipped}}]
sinks: {{shipped: {{type: "null"}}}}
state_dir: {directory}/state
"""
Ask = Callable[[str], Awaitable[tuple[int, str, str]]]


def served(directory: Path, work: Callable[[Pipeline, Ask], Awaitable[None]]) -> None:
    async def go() -> None:
        text = CONFIG.format(directory=directory)
        config = load(text, file="x.yaml", env={}, registry=Registry.installed())
        pipeline = Pipeline(config, world(), logging.getLogger("test"))
        admin = Admin("127.0.0.1:0", pipeline)
        await admin.start()

        async def ask(path: str) -> tuple[int, str, str]:
            async with session.get(f"http://127.0.0.1:{admin.port}{path}") as answer:
                return answer.status, answer.headers["Content-Type"], await answer.text()

        try:
            async with asyncio.timeout(20), aiohttp.ClientSession() as session:
                await work(pipeline, ask)
        finally:
            await admin.close()
            pipeline.world.offload.close()

    asyncio.run(go())


def test_it_is_ready_once_all_sources_have_looked(tmp_path: Path) -> None:
    async def work(pipeline: Pipeline, ask: Ask) -> None:
        status, _, text = await ask("/readyz")
        assert (status, "out" in text) == (503, True)
        assert (await ask("/healthz"))[0] == 200
        stop = asyncio.Event()
        running = asyncio.ensure_future(pipeline.run(stop))
        while (await ask("/readyz"))[0] != 200:
            await asyncio.sleep(0.02)
        stop.set()
        await running

    served(tmp_path, work)


def test_metrics_say_which_format_they_are_in(tmp_path: Path) -> None:
    async def work(pipeline: Pipeline, ask: Ask) -> None:
        status, kind, text = await ask("/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert text.startswith("# HELP logship_build_info ")

    served(tmp_path, work)


@pytest.mark.parametrize("path", ["/", "/status/", "/metrics/x", "/../etc/passwd"])
def test_nothing_else_is_served(tmp_path: Path, path: str) -> None:
    async def work(pipeline: Pipeline, ask: Ask) -> None:
        assert (await ask(path))[0] == 404

    served(tmp_path, work)


def test_many_who_ask_at_once_cost_as_much_as_one() -> None:
    made = 0

    async def make() -> str:
        nonlocal made
        made += 1
        await asyncio.sleep(0.1)
        return str(made)

    async def go() -> None:
        kept = Kept(make, VirtualClock().now)
        assert await asyncio.gather(*(kept.get() for _ in range(50))) == ["1"] * 50
        await asyncio.sleep(KEPT_SECS)
        assert await kept.get() == "2"

    run_virtual(go())
