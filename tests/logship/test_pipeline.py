"""Starting and stopping the whole agent, in process."""

import asyncio
import logging
from pathlib import Path

from logship.config import load
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.testing import world

CONFIG = """\
sources: {{logs: {{type: files, paths: [{directory}/*.log]}}}}
routes: [{{name: all, from: [logs], to: out}}]
sinks: {{out: {{type: "null"}}}}
state_dir: {directory}/state
"""


def test_an_agent_that_waits_for_another_one_stops_when_told(tmp_path: Path) -> None:
    async def go() -> None:
        here = world()
        text = CONFIG.format(directory=tmp_path)
        config = load(text, file="x.yaml", env={}, registry=Registry.installed())
        here.disk.make_dir(config.state_dir)
        here.disk.lock(f"{config.state_dir}/lock")
        stop = asyncio.Event()
        pipeline = Pipeline(config, here, logging.getLogger("test"))
        running = asyncio.ensure_future(pipeline.run(stop))
        await asyncio.sleep(0.1)
        assert not running.done()
        stop.set()
        await asyncio.wait_for(running, 10)
        here.offload.close()

    asyncio.run(go())
