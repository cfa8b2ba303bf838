"""Faults found by review: each test failed before its fix."""

import asyncio
import gzip

import pytest

from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import feed_of, follower_of


@pytest.mark.timeout(5)
@pytest.mark.parametrize("whole", [True, False])
def test_a_gz_that_is_the_last_generation(tmp_path, whole):
    """logrotate with `compress`: app.log.1.gz and an empty app.log."""

    async def go():
        w = virtual_world()
        packed = gzip.compress(
            b"".join(cri_line(f"{n * 7919}", time_ns=10**18 + n) for n in range(9000))
        )
        (tmp_path / "0.log.1.gz").write_bytes(packed if whole else packed[: len(packed) // 2])
        (tmp_path / "0.log").touch()
        f = follower_of(tmp_path, w)
        feed = feed_of(f, w)
        b = 1
        while b is not None:
            b = await asyncio.wait_for(feed.take(1 << 18), 60)  # never returns
            if b:
                feed.settle(b)

    run_virtual(go())
