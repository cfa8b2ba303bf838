"""A log that cannot be read for a while is tried again, said once, and delays no other."""

import asyncio
import errno
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from logship.api import Batch
from logship.routes.binding import Binding
from logship.routes.conditions import Selection
from logship.testing.virtual_time import run_virtual, virtual_world
from tests.logship.delivery.destination import Endless, Stage

LOOKS = 5
EIO = OSError(errno.EIO, "Input/output error")


class Failing(Endless):
    """Its disk fails so many times."""

    def __init__(self, now: Callable[[], float], error: Exception) -> None:
        super().__init__("failing", now)
        self.left, self.error = LOOKS, error

    async def take(self, max_bytes: int) -> Batch | None:
        if self.left:
            self.left -= 1
            raise self.error
        return await super().take(max_bytes)


@pytest.mark.parametrize(
    ("error", "said", "bugs"),
    [(EIO, "cannot read failing", 0), (ValueError("odd"), "a bug in reading failing", LOOKS)],
    ids=["EIO", "a bug"],
)
def test_it_is_said_once_until_it_works_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, said: str, bugs: int
) -> None:
    def times() -> int:
        return sum(said in record.getMessage() for record in caplog.records)

    async def looks(binding: Binding, feed: Failing) -> None:
        for _ in range(LOOKS):
            binding.wake()
            await asyncio.sleep(1)
        assert feed.left == 0

    async def go() -> None:
        stage = Stage(tmp_path, virtual_world())
        feed = Failing(stage.world.clock.now, error)
        binding = Binding(feed, Selection(), stage.route)
        stage.route.add(binding)
        stage.begin()
        await looks(binding, feed)
        assert (times(), stage.counters.bugs) == (1, bugs)
        assert len(stage.feed.settled) > LOOKS, "another log waited for it"
        binding.wake()
        await asyncio.sleep(1)
        assert feed.settled, "it was not tried again"
        feed.left = LOOKS
        await looks(binding, feed)
        assert times() == 2

    with caplog.at_level(logging.WARNING):
        run_virtual(go())
