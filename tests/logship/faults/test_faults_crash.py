"""Faults found by review: each test failed before its fix."""

import asyncio
import contextlib
import gzip
import os

import pytest

from logship.counters import RouteCounters
from logship.delivery.limits import Budget
from logship.origin import Labels, LogFile, Origin
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.routes.route import Route
from logship.rows.index import Cutting
from logship.source_catalog import SourceCatalog
from logship.tail.pulse import Pulse
from logship.testing import cri_line
from logship.testing.virtual_time import EPOCH_NS, run_virtual, virtual_world
from tests.logship.faults.stage import LOG, NoSender, feed_of, follower_of, origins_of, read, rule


def pulse_survives(d, hurt):
    async def go():
        w = virtual_world()
        f = follower_of(d, w)
        p = Pulse(w.clock, w.disk)
        p.add(f)
        t = asyncio.ensure_future(p.run())
        await asyncio.sleep(3)
        hurt()
        await asyncio.sleep(10)
        assert not t.done(), t.exception()
        t.cancel()

    run_virtual(go())


def test_pulse_survives_a_link_to_itself(tmp_path):
    (tmp_path / "0.log").write_bytes(cri_line("a"))
    pulse_survives(tmp_path, lambda: os.symlink("0.log.x", tmp_path / "0.log.x"))


def test_pulse_survives_a_directory_replaced_by_a_file(tmp_path):
    d = tmp_path / "d"
    d.mkdir()
    (d / "0.log").write_bytes(cri_line("a"))

    def hurt():
        d.rename(tmp_path / "e")
        d.write_text("x")

    pulse_survives(d, hurt)


def bind_one(tmp, content, cutoff, name="0.log", fmt="cri"):
    async def go():
        w = virtual_world()
        o, _cp = origins_of(tmp / "st", w, [rule("r")], lambda r, s: cutoff)
        d = tmp / "d"
        d.mkdir()
        (d / name).write_bytes(content)
        todo = []
        cat = SourceCatalog("s", o, todo.append, w, LOG)
        cat.add(Origin("k", Labels({})), LogFile(str(d), "0.log", Cutting(fmt)))
        with contextlib.suppress(OSError):  # as Pipeline._bind does
            await o.bind(todo.pop())

    run_virtual(go())


def test_bind_survives_a_cut_off_gz(tmp_path):
    lines = b"".join(cri_line(f"{n} {n * 7919}", time_ns=10**18 + n) for n in range(20000))
    packed = gzip.compress(lines)
    bind_one(tmp_path, packed[: len(packed) // 2], 10**18 + 19999, "0.log.1.gz")


def test_bind_survives_a_zone_that_does_not_exist(tmp_path):
    bind_one(
        tmp_path,
        b"2026-01-01T00:00:00Z a\n2026-01-01T00:00:00+99:99 b\n",
        1767225601 * 10**9,
        fmt="plain",
    )


def test_file_whose_first_line_has_a_wrong_zone_is_read(tmp_path):
    async def go():
        w = virtual_world()
        (tmp_path / "0.log").write_bytes(b"2026-01-01T00:00:00+99:99 b\n")
        f = follower_of(tmp_path, w, Cutting("plain"))
        feed = feed_of(f, w)
        assert len(await read(feed)) == 1

    run_virtual(go())


def test_take_survives_year_10000(tmp_path):
    async def go():
        w = virtual_world()
        (tmp_path / "0.log").write_bytes(
            b"9999-12-31T23:59:59-01:00 stdout F a\nbad\n2026-01-01T00:00:00Z stdout P x\n"
        )
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        r = Route("r", NoSender(), [], Budget(1 << 24), RouteCounters(), w.clock, LOG)

        b = Binding(feed, Selection(), r)
        r.add(b)
        r.sender.offer = lambda reader, batch: reader.release(batch) or r.counters.give_back(batch)
        await r._take(b)  # pull() has no other guard

    NoSender.offer = lambda self, reader, batch: None
    run_virtual(go())


@pytest.mark.parametrize(
    "line",
    [
        b"9999-12-31T23:59:59-01:00 hello\n",
        b"0001-01-01T00:00:00+01:00 hello\n",
        b"0001-01-01T00:00:00Z hello\n",
    ],
)
def test_generation_of_hostile_time_survives_the_checkpoint_and_cloud_logging(tmp_path, line):
    from logship.journal import HEADER, Key, Saved, parse
    from logship.journal import line as jline
    from logship.rows.address import Position
    from logship.rows.identity import identify

    g = identify("plain", line, 0)
    k = Key("r", "o")
    assert parse(HEADER + jline(k, Saved(Position(g, 5), 1))).positions[k].position == Position(
        g, 5
    )


@pytest.mark.parametrize(
    "line", [b"9999-12-31T23:59:59-01:00 hello\n", b"0001-01-01T00:00:00+01:00 hello\n"]
)
def test_cloud_logging_writes_hostile_times(line):
    from logship_gcp.cloud_logging.row_times import row_times

    from logship.rows.identity import identify
    from logship.testing import batch_of

    b = batch_of([line], generation=identify("plain", line, 0), cutting=Cutting("plain"))
    row_times(b, EPOCH_NS)


@pytest.mark.parametrize(
    "line",
    [
        b"9999-12-31T23:59:59-01:00 hello\n",
        b"0001-01-01T00:00:00+01:00 hello\n",
        b"2026-01-01T00:00:00+99:99 hello\n",
    ],
)
def test_pubsub_record_and_bigquery_take_hostile_times(line):
    from logship_gcp.bigquery.extract import Extractor
    from logship_gcp.pubsub import record

    from logship.rows.address import Generation
    from logship.testing import batch_of

    b = batch_of(
        [line],
        generation=Generation(253402304399 * 10**9, 1) if line[:1] == b"9" else Generation(1, 1),
        cutting=Cutting("plain"),
    )
    list(record.encode_rows(b, Extractor(), "text", EPOCH_NS))
