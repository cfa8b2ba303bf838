"""Truncated files, found by review: each test failed before its fix."""

import asyncio

import pytest

from logship.rows.index import Cutting
from logship.tail.pulse import Pulse
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import feed_of, follower_of, read


def test_copytruncate_under_steady_writing(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("old", time_ns=10**18))
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        got = await read(feed)
        live.write_bytes(b"")
        f.poll()
        f.refresh()
        want = []
        for n in range(30):
            text = f"new-{n}"
            want.append(text)
            with live.open("ab") as h:
                h.write(cri_line(text, time_ns=10**18 + 10 + n))
            await w.clock.sleep(0.5)
            f.poll()
            f.refresh()
            got += await read(feed)
        await w.clock.sleep(2)
        f.poll()
        got += await read(feed)
        assert got == ["old", *want], got[:6]

    run_virtual(go())


def test_truncation_without_a_change_of_the_directory_is_followed(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(cri_line("old" * 100, time_ns=10**18))
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        got = await read(feed)
        p = Pulse(w.clock, w.disk)
        p.add(f)
        t = asyncio.ensure_future(p.run())
        await asyncio.sleep(5)
        live.write_bytes(cri_line("new", time_ns=10**18 + 9))  # `: > 0.log` and one line
        for _ in range(60):
            await asyncio.sleep(1)
            got += await read(feed)
        t.cancel()
        assert got[1:] == ["new"]

    run_virtual(go())


@pytest.mark.parametrize("n", range(4))
def test_truncated_plain_file_without_times(tmp_path, n):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(b"first line is rather long\n")
        f = follower_of(tmp_path, w, Cutting("plain"))
        feed = feed_of(f, w)
        got = await read(feed)
        live.write_bytes(b"short %d\n" % n)
        f.poll()
        f.refresh()
        for _ in range(6):
            await w.clock.sleep(1)
            f.poll()
            f.refresh()
            got += await read(feed)
        assert got[1:] == [f"short {n}"]

    run_virtual(go())


def test_same_first_line_after_truncation(tmp_path):
    async def go():
        w = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(b"# log\none\ntwo\n")
        f = follower_of(tmp_path, w, Cutting("plain"))
        feed = feed_of(f, w)
        got = await read(feed)
        live.write_bytes(b"# log\nx\n")
        f.poll()
        f.refresh()
        for _ in range(6):
            await w.clock.sleep(1)
            f.poll()
            f.refresh()
            got += await read(feed)
        assert got[3:] == ["# log", "x"]

    run_virtual(go())
