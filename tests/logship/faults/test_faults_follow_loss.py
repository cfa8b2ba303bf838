"""Rows that a follower missed, found by review: each test failed before its fix."""

import asyncio

import pytest

from logship.origin import Labels, LogFile, Origin
from logship.source_catalog import SourceCatalog
from logship.tail.pulse import Pulse
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import LOG, feed_of, follower_of, origins_of, read, rule


def test_last_words_before_retirement_between_two_polls(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("a"))
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        assert await read(feed) == ["a"]
        await w.clock.sleep(60)
        f.poll()  # idle: polled once a second
        with live.open("ab") as o:
            o.write(cri_line("last words"))
        live.unlink()
        f.retired = True
        f.refresh()  # SourceCatalog.retire -> touch
        got = await read(feed)
        for _ in range(5):
            await w.clock.sleep(1)
            f.poll()
            f.refresh()
            got += await read(feed)
        assert got == ["last words"]

    run_virtual(go())


def test_burst_before_rotation_between_two_polls(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("a", time_ns=10**18))
        f = follower_of(tmp_path, w)
        losses = []
        feed = feed_of(f, w, losses)
        assert await read(feed) == ["a"]
        await w.clock.sleep(60)
        f.poll()
        with live.open("ab") as o:
            o.write(cri_line("burst"))
        live.rename(tmp_path / "0.log.20260101-000000")
        live.write_bytes(cri_line("new", time_ns=10**18 + 5))
        f.refresh()  # touch
        got = await read(feed)
        for _ in range(5):
            await w.clock.sleep(1)
            f.poll()
            f.refresh()
            got += await read(feed)
        assert got == ["burst", "new"], (got, losses)

    run_virtual(go())


def test_first_words_of_a_silent_container_that_is_removed(tmp_path):
    async def go():
        w = virtual_world()
        o, _cp = origins_of(tmp_path / "st", w, [rule("r")])
        d = tmp_path / "d"
        d.mkdir()
        live = d / "0.log"
        live.touch()
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        cat.add(Origin("k", Labels({})), LogFile(str(d), "0.log"))
        await o.bind(todo.pop())
        e = o.entries["k"]
        feed = e.bindings["r"].feed
        assert await read(feed) == []
        live.write_bytes(cri_line("panic: no config"))
        live.unlink()
        cat.retire("k")
        got = await read(feed)
        for _ in range(5):
            await w.clock.sleep(1)
            e.follower.poll()
            got += await read(feed)
        assert got == ["panic: no config"]

    run_virtual(go())


def test_revived_origin_is_read_on(tmp_path):
    async def go():
        w = virtual_world()
        o, _cp = origins_of(tmp_path / "st", w, [rule("r")])
        d = tmp_path / "d"
        d.mkdir()
        live = d / "0.log"
        live.write_bytes(cri_line("a"))
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        origin = Origin("k", Labels({}))
        lf = LogFile(str(d), "0.log")
        cat.add(origin, lf)
        await o.bind(todo.pop())
        e = o.entries["k"]
        feed = e.bindings["r"].feed
        b = await feed.take(1 << 18)
        assert b
        live.rename(d / "x")
        await w.clock.sleep(2)
        cat.retire("k")
        assert await feed.take(1 << 18) is None  # b is still out: sink slow
        (d / "x").rename(live)
        cat.add(origin, lf)
        cat.touch("k")
        with live.open("ab") as h:
            h.write(cri_line("b"))
        e.follower.refresh()
        e.follower.poll()
        got = []
        for _ in range(5):
            x = await feed.take(1 << 18)
            got += list(x.rows.texts) if x else []
            await w.clock.sleep(1)
            e.follower.poll()
        assert got == ["b"]

    run_virtual(go())


def test_clock_stepped_back_over_a_rotation(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        T = 10**18
        live.write_bytes(cri_line("a", time_ns=T))
        f = follower_of(tmp_path, w)
        losses = []
        feed = feed_of(f, w, losses)
        got = await read(feed)
        live.rename(tmp_path / "0.log.1")
        live.write_bytes(cri_line("b", time_ns=T - 10**9))
        for _ in range(3):
            f.refresh()
            await w.clock.sleep(1)
            f.poll()
            got += await read(feed)
        live.rename(tmp_path / "0.log.2")
        live.write_bytes(cri_line("c", time_ns=T + 10**9))
        for _ in range(3):
            f.refresh()
            await w.clock.sleep(1)
            f.poll()
            got += await read(feed)
        assert sorted(got) == ["a", "b", "c"] or losses, (got, losses)

    run_virtual(go())


def test_open_failure_is_tried_again(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("a"))
        real = w.disk.open
        fail = [True]

        def bad(*a):
            if fail[0]:
                raise OSError(24, "Too many open files")
            return real(*a)

        w.disk.open = bad
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        fail[0] = False
        p = Pulse(w.clock, w.disk)
        p.add(f)
        t = asyncio.ensure_future(p.run())
        got = []
        for _ in range(60):
            await asyncio.sleep(1)
            got += await read(feed, 2)
        t.cancel()
        assert got == ["a"]

    run_virtual(go())


def test_released_batch_survives_a_read_error(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("a"))
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        b = await feed.take(1 << 18)
        feed.release(b)
        real = w.disk.read

        async def bad(*a):
            raise OSError(5, "EIO")

        w.disk.read = bad
        with pytest.raises(OSError, match="EIO"):
            await feed.take(1 << 18)
        w.disk.read = real
        assert await read(feed) == ["a"]

    run_virtual(go())


def test_open_record_times_out_although_the_other_stream_talks(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("prompt>", tag="P"))
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        got = []
        for _n in range(60):
            with live.open("ab") as h:
                h.write(cri_line("e", stream="stderr"))
            await w.clock.sleep(1)
            f.poll()
            got += await read(feed, 3)
        assert "prompt>" in got

    run_virtual(go())
