"""One log on disk and what reads it: small pieces that the tests of identity share."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from logship.batch import Batch
from logship.origin import Labels, LogFile, Origin
from logship.rows.address import Position
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.tail.loss import Loss
from logship.world import World

LOG = logging.getLogger("identity")
CRI, PLAIN = Cutting("cri"), Cutting("plain")


class Losses(list[Loss]):
    """What was lost, as a feed tells it."""

    def __call__(self, loss: Loss) -> None:
        self.append(loss)


def follower_of(
    directory: Path,
    world: World,
    cutting: Cutting = CRI,
    log: LogFile | None = None,
    saved: Sequence[Position] = (),
) -> Follower:
    log = log or LogFile(str(directory), "0.log", cutting)
    follower = Follower(Origin("c/uid/app/0", Labels({})), log, world, LOG)
    follower.expect(saved)
    follower.refresh()
    return follower


async def read_all(
    feed: DiskFeed, world: World, seen: Callable[[Batch], None] = lambda batch: None
) -> list[str]:
    """Texts of what there is, until nothing has come for some (virtual) seconds."""
    found: list[str] = []
    idle = 0
    while idle < 6:
        batch = await feed.take(256 * 1024)
        if batch is None:
            idle += 1
            await world.clock.sleep(1)
            continue
        idle = 0
        seen(batch)
        found += batch.rows.texts
        feed.settle(batch)
    return found
