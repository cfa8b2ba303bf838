"""`logship run`: the agent, until SIGTERM or SIGINT. SIGHUP reads the configuration again."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from logship.build import Misconfigured
from logship.cli.configuration import Written, read
from logship.log import set_up
from logship.outcome import ConfigError
from logship.pipeline import Pipeline
from logship.reload.reloader import Reloader
from logship.rows import kernel
from logship.running import cancel
from logship.world import Clock, Disk, Offload, World
from logship.world.process import (
    collect_garbage_rarely,
    keep_freed_memory,
    raise_open_files,
)


def run(options: argparse.Namespace) -> int:
    written = read(options.config)
    if written is None:
        return 2
    if not _choose_kernel():
        return 2
    keep_freed_memory()
    raise_open_files()
    collect_garbage_rarely()
    logger = set_up(written.config.log_level)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as long as nobody handles it
    try:
        uvloop.run(_agent(written, logger))
    except Misconfigured as error:
        written.explain(*error.problems)
        return 2
    except ConfigError as error:
        written.explain(error)
        return 2
    except OSError as error:
        logger.critical("cannot go on: %s", error)
        return 1
    return 0


def _choose_kernel() -> bool:
    """As the environment says: `LOGSHIP_KERNEL`, `compiled` or `pure`. False: it cannot be."""
    wanted = os.environ.get("LOGSHIP_KERNEL", kernel.in_use())
    try:
        kernel.choose(wanted)
    except ValueError as error:
        print(f"LOGSHIP_KERNEL={wanted}: {error}", file=sys.stderr)
        return False
    return True


async def _agent(written: Written, logger: logging.Logger) -> None:
    offload = Offload()
    pipeline = Pipeline(written.config, World(Clock(), Disk(offload), offload), logger)
    reloader = Reloader(pipeline, written.file, written.text, written.env)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, reloader.ask)
    reloading = loop.create_task(reloader.run())
    try:
        async with _admin(written.config.admin.listen, pipeline, reloader):
            await pipeline.run(stop)
    finally:
        await cancel([reloading])
        offload.close()


@asynccontextmanager
async def _admin(listen: str | None, pipeline: Pipeline, reloader: Reloader) -> AsyncIterator[None]:
    if listen is None:
        yield
        return
    from logship.admin import Admin

    admin = Admin(listen, pipeline, reloader.reload)
    await admin.start()
    try:
        yield
    finally:
        await admin.close()
