"""A feed that reads a directory for a while, and what it says was lost."""

from pathlib import Path

from logship.rows.address import Position
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower
from logship.testing import cri_line
from logship.world import World
from tests.logship.identity.stage import CRI, Losses, follower_of, read_all

BEGIN, LATER, LAST = 10**18, 10**18 + 10**9, 10**18 + 10**10


def lines(first: int, end: int, time_ns: int = BEGIN) -> bytes:
    return b"".join(cri_line(f"{n}", time_ns=time_ns + n) for n in range(first, end))


def numbers(first: int, end: int) -> list[str]:
    return [f"{n}" for n in range(first, end)]


def follow(
    directory: Path, world: World, cutting: Cutting = CRI, saved: Position | None = None
) -> tuple[Follower, DiskFeed, Losses]:
    follower = follower_of(directory, world, cutting, saved=[saved] if saved else ())
    feed, losses = another(follower, world, saved)
    return follower, feed, losses


def another(
    follower: Follower, world: World, saved: Position | None = None
) -> tuple[DiskFeed, Losses]:
    losses = Losses()
    feed = DiskFeed("r", follower, world, saved, lambda: None, losses)
    follower.add_feed(feed)
    return feed, losses


async def read_on(feed: DiskFeed, follower: Follower, world: World) -> list[str]:
    """What comes in half a minute in which the agent looks again and again."""
    found = []
    for _ in range(4):
        follower.look_again()
        found += await read_all(feed, world)
    return found
