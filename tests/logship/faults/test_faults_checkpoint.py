"""Positions when a clock was wrong, and when the agent is stopped while it saves."""

import asyncio
import logging
import threading
from pathlib import Path

from logship.checkpoint import Checkpoint
from logship.journal import Key, parse
from logship.rows.address import Generation, Position
from logship.testing.virtual_time import InlineOffload, VirtualClock, run_virtual
from logship.world import Clock, Disk, Offload, World

LOG = logging.getLogger("test")
GENERATION = Generation(10**18, 7)
MARKER = {Key("r", ""): Position(Generation(0, 0), 0)}
DAY_NS = 86_400 * 10**9


class SteppedClock(VirtualClock):
    """Its wall clock can be wrong."""

    ahead_ns = 0

    def wall_ns(self) -> int:
        return super().wall_ns() + self.ahead_ns


def at(offset: int) -> Position:
    return Position(GENERATION, offset)


def test_a_clock_that_was_ahead_for_a_moment_drops_no_other_position(tmp_path: Path) -> None:
    async def go() -> None:
        clock, offload = SteppedClock(), InlineOffload()
        world = World(clock, Disk(offload), offload)
        checkpoint = Checkpoint(str(tmp_path), world, LOG)
        checkpoint.load()
        checkpoint.update(MARKER | {Key("r", "busy"): at(1), Key("r", "other"): at(1)})
        await checkpoint.save()
        clock.ahead_ns = 3 * DAY_NS
        checkpoint.update(MARKER | {Key("r", "busy"): at(2)})
        await checkpoint.save()
        clock.ahead_ns = 0
        for _ in range(10):
            await asyncio.sleep(60)
            checkpoint.update(MARKER | {Key("r", "busy"): at(2), Key("r", "other"): at(9)})
            await checkpoint.save()
        again = Checkpoint(str(tmp_path), world, LOG)
        again.load()
        assert again.position("r", "busy") == at(2)
        assert again.position("r", "other") == at(9)

    run_virtual(go())


class SlowDisk(Disk):
    """Its first snapshot takes until it is told to go on."""

    def __init__(self, offload: Offload) -> None:
        super().__init__(offload)
        self.begun, self.go_on, self.ended = (threading.Event() for _ in range(3))

    def replace(self, path: str, content: bytes) -> None:
        first = not self.begun.is_set()
        if first:
            self.begun.set()
            self.go_on.wait(20)
        super().replace(path, content)
        if first:
            self.ended.set()


def test_a_save_that_was_cancelled_does_not_overwrite_the_last_one(tmp_path: Path) -> None:
    async def go() -> None:
        offload = Offload()
        disk = SlowDisk(offload)
        checkpoint = Checkpoint(str(tmp_path), World(Clock(), disk, offload), LOG)
        checkpoint.load()
        keys = [Key("r", f"origin-{number}") for number in range(5)]
        checkpoint.update({key: at(1) for key in keys})
        saving = asyncio.ensure_future(checkpoint.save())
        while not disk.begun.is_set():
            await asyncio.sleep(0.01)
        saving.cancel()
        await asyncio.wait([saving])
        checkpoint.update({key: at(123_456_789) for key in keys}, last=True)
        last = asyncio.ensure_future(checkpoint.save())
        await asyncio.wait([last], timeout=0.3)
        disk.go_on.set()
        await last
        while not disk.ended.is_set():
            await asyncio.sleep(0.01)
        offload.close()
        loaded = parse((tmp_path / "positions.journal").read_bytes())
        assert loaded.bad_lines == 0
        assert {saved.position.offset for saved in loaded.positions.values()} == {123_456_789}

    asyncio.run(go())
