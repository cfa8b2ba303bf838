"""A stop that arrives in the same turn of the loop as work must not be lost."""

import asyncio
import logging
from pathlib import Path

import pytest

from logship.api import Context
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.testing import texts_batch
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.test_sender import Recorder, ScriptedSink


@pytest.mark.parametrize("turns", range(6))
def test_a_sender_stops_though_it_is_woken_in_the_same_turn(tmp_path: Path, turns: int) -> None:
    async def go() -> None:
        world = virtual_world()
        context = Context("sink", world, logging.getLogger("test"))
        letters = DeadLetters(str(tmp_path), 1 << 20, 1e9, world)
        sender = Sender(
            ScriptedSink(context, []), Budget(1 << 20), letters, RouteCounters(), world.clock,
            context.log,
        )  # fmt: skip
        task = asyncio.ensure_future(sender.run())
        await asyncio.sleep(1)
        reader = Recorder()
        sender.offer(reader, texts_batch(["a"]))
        await asyncio.sleep(0.01)  # it waits for company
        sender.offer(reader, texts_batch(["b"]))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done

    run_virtual(go())
