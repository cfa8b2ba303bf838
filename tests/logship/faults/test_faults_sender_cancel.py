"""Faults found by review: each test failed before its fix."""

import asyncio

import msgspec

from logship.api import DELIVERED, Context, Outcome, Refused, Sink
from logship.counters import RouteCounters
from logship.delivery.deadletters import DeadLetters
from logship.delivery.limits import Budget
from logship.delivery.sender import Sender
from logship.testing import texts_batch
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import LOG


class S(Sink):
    config = msgspec.Struct
    request_bytes = 1000

    def __init__(self, c, script):
        super().__init__(msgspec.Struct(), c)
        self.script = script

    async def write(self, batches):
        return self.script.pop(0)() if self.script else DELIVERED


class R:
    def __init__(self):
        self.settled, self.released, self.blocked = [], [], False

    def settle(self, b):
        self.settled.append(b)

    def release(self, b):
        self.released.append(b)

    def wake(self):
        pass


def go_with(tmp_path, script):
    async def go():
        w = virtual_world()
        b, c = Budget(1 << 20), RouteCounters()
        s = Sender(
            S(Context("s", w, LOG), script),
            b,
            DeadLetters(str(tmp_path / "d"), 1 << 20, 99, w),
            c,
            w.clock,
            LOG,
        )
        t = asyncio.ensure_future(s.run())
        r = R()
        s.offer(r, texts_batch(["a"]))
        await asyncio.sleep(120)
        assert r.settled or r.released
        assert b.held == 0
        t.cancel()

    run_virtual(go())


def test_a_sink_that_raises_cancelled_error(tmp_path):
    def c():
        raise asyncio.CancelledError

    go_with(tmp_path, [c])


def test_a_sink_that_names_a_row_that_is_not_there(tmp_path):
    go_with(tmp_path, [lambda: Outcome(refused=(Refused(0, 7, "x"),))])


def test_a_sink_that_names_a_batch_that_is_not_there(tmp_path):
    go_with(tmp_path, [lambda: Outcome(refused=(Refused(3, 0, "x"),))])
