"""An open record is closed by its timeout only if its rest is not on the disk at that moment."""

from pathlib import Path

import pytest

from logship.rows.address import Mark
from logship.tail.waiting import JOIN_TIMEOUT_SECS
from logship.testing import cri_line
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.faults.stage import feed_of, follower_of

BEGIN = cri_line("begin ", time_ns=10**18, tag="P")
END = cri_line("end", time_ns=10**18 + 9)


@pytest.mark.parametrize("rotated", [True, False])
@pytest.mark.parametrize("polled", [True, False])
def test_what_came_while_nobody_looked_is_joined(
    tmp_path: Path, rotated: bool, polled: bool
) -> None:
    async def go() -> None:
        world = virtual_world()
        live = tmp_path / "0.log"
        live.write_bytes(BEGIN)
        follower = follower_of(tmp_path, world)
        feed = feed_of(follower, world)
        assert await feed.take(1000) is None
        if rotated:
            live.rename(tmp_path / "0.log.20261123-000000")
        with live.open("ab") as file:
            file.write(END)
        await world.clock.sleep(JOIN_TIMEOUT_SECS + 1)  # a pause of the machine, or of the sink
        if polled:
            follower.poll()
        found = []
        for _ in range(9):
            if (batch := await feed.take(1000)) is not None:
                found += [(text, batch.rows.mark(n)) for n, text in enumerate(batch.rows.texts)]
            await world.clock.sleep(1)
        assert found == [("begin end", Mark())]

    run_virtual(go())
