"""Faults found by review: each test failed before its fix."""

import asyncio
import contextlib
import gzip

from logship.checkpoint import Checkpoint
from logship.journal import Key
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Position
from logship.source_catalog import SourceCatalog
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import LOG, follower_of, origins_of, read, rule


def slow(world, secs):
    real = world.offload.run

    async def run(call, *a, **k):
        await asyncio.sleep(secs)
        return await real(call, *a, **k)

    world.offload.run = run


def lines(a, b):
    return b"".join(cri_line(f"{n}", time_ns=10**18 + n) for n in range(a, b))


def test_sweep_waits_for_bind(tmp_path):
    async def go():
        w = virtual_world()
        o, _cp = origins_of(tmp_path / "st", w, [rule("r")], lambda r, s: 10**18 + 5)
        d = tmp_path / "d"
        d.mkdir()
        (d / "0.log.1.gz").write_bytes(gzip.compress(lines(0, 10)))
        slow(w, 2)
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        cat.add(Origin("k", Labels({})), LogFile(str(d), "0.log"))
        t = asyncio.ensure_future(o.bind(todo.pop()))
        await asyncio.sleep(1)
        cat.retire("k")
        o.sweep()  # Pipeline._keep
        assert "k" in o.entries
        await t

    run_virtual(go())


def test_a_fast_route_does_not_close_what_a_new_route_needs(tmp_path):
    async def go():
        w = virtual_world()
        o, cp = origins_of(
            tmp_path / "st", w, [rule("fast", goes_on=True), rule("new")], lambda r, s: 10**18 + 5
        )
        d = tmp_path / "d"
        d.mkdir()
        (d / "0.log.1.gz").write_bytes(gzip.compress(lines(0, 10)))
        (d / "0.log").write_bytes(lines(10, 20))
        f0 = follower_of(d, w)
        live = f0.generations[-1].generation
        f0.close()
        cp.update({Key("fast", "k"): Position(live, 0)})
        slow(w, 1)
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        cat.add(Origin("k", Labels({})), LogFile(str(d), "0.log"))
        e = todo.pop()
        t = asyncio.ensure_future(o.bind(e))
        await asyncio.sleep(0.5)
        fast = e.bindings["fast"].feed if "fast" in e.bindings else None
        if fast:
            await read(fast)  # the first route delivers meanwhile
        try:
            await t
        except OSError as x:
            print(x)
        assert set(e.bindings) == {"fast", "new"}
        got = await read(e.bindings["new"].feed)
        assert got == [str(n) for n in range(5, 20)]

    run_virtual(go())


def test_bind_is_tried_again_after_an_io_error(tmp_path):
    async def go():
        w = virtual_world()
        o, _cp = origins_of(tmp_path / "st", w, [rule("r")], lambda r, s: 10**18 + 5)
        d = tmp_path / "d"
        d.mkdir()
        (d / "0.log").write_bytes(lines(0, 10))
        real = w.disk.read

        async def bad(*a):
            raise OSError(5, "EIO")

        w.disk.read = bad
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        cat.add(Origin("k", Labels({})), LogFile(str(d), "0.log"))
        e = todo.pop()
        with contextlib.suppress(OSError):
            await o.bind(e)
        w.disk.read = real
        for x in o.undecided():
            await o.bind(x)  # Pipeline._keep
        assert "r" in e.bindings

    run_virtual(go())


def test_positions_live_as_long_as_an_agent_that_was_away_for_19_hours(tmp_path):
    async def go():
        w = virtual_world()
        cp = Checkpoint(str(tmp_path), w, LOG)
        cp.load()
        from logship.rows.address import Generation

        p = {
            Key("r", ""): Position(Generation(0, 0), 0),
            Key("r", "k"): Position(Generation(1, 1), 7),
        }
        cp.update(p)
        await cp.save()
        for _ in range(59):
            await w.clock.sleep(360)
            cp.update(p)
            await cp.save()  # idle for 5.9 h, then killed
        await w.clock.sleep(19 * 3600)
        new = Checkpoint(str(tmp_path), w, LOG)
        new.load()
        assert new.knows("r"), "start_from rules again: rows written meanwhile are lost"
        assert new.position("r", "k") is not None

    run_virtual(go())


def test_positions_survive_a_save_that_is_cancelled(tmp_path):
    """Pipeline._until cancels `_keep` in the middle of `save`; the last save must write them."""

    async def go():
        from logship.rows.address import Generation

        w = virtual_world()
        cp = Checkpoint(str(tmp_path), w, LOG)
        cp.load()
        await cp.save()
        p = {Key("r", "k"): Position(Generation(1, 1), 7)}
        slow(w, 1)
        cp.update(p)
        t = asyncio.ensure_future(cp.save())
        await asyncio.sleep(0.5)
        t.cancel()
        await asyncio.wait([t])  # the thread pool was busy: it never began
        cp.update(p)
        await cp.save()
        new = Checkpoint(str(tmp_path), w, LOG)
        new.load()
        assert new.position("r", "k") == p[Key("r", "k")]

    run_virtual(go())
