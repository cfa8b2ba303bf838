"""Small pieces that the tests of found faults share."""

import logging

from logship.catalog import Origins
from logship.checkpoint import Checkpoint
from logship.counters import RouteCounters
from logship.delivery.limits import Budget
from logship.origin import Labels, LogFile, Origin
from logship.routes.route import Route
from logship.routes.routing import RouteRule
from logship.rows.index import Cutting
from logship.tail.feed import DiskFeed
from logship.tail.follow import Follower

LOG = logging.getLogger("t")


CRI = Cutting()


def follower_of(d, world, cutting=CRI):
    f = Follower(Origin("c/uid/app/0", Labels({})), LogFile(str(d), "0.log", cutting), world, LOG)
    f.refresh()
    return f


def feed_of(f, world, losses=None, position=None):
    losses = [] if losses is None else losses
    feed = DiskFeed("r", f, world, position, lambda: None, losses.append)
    f.feeds.append(feed)
    return feed


async def read(feed, n=20):
    found = []
    for _ in range(n):
        b = await feed.take(262144)
        if b is not None:
            found += b.rows.texts
            feed.settle(b)
    return found


class NoSender:
    paused_secs = 0
    in_flight = 0


def origins_of(tmp, world, rules, starting=lambda r, s: 0):
    routes = []
    for rule in rules:
        routes.append(
            (
                rule,
                Route(
                    rule.name, NoSender(), [], Budget(1 << 24), RouteCounters(), world.clock, LOG
                ),
            )
        )
    cp = Checkpoint(str(tmp), world, LOG)
    o = Origins(routes, cp, starting, world, LOG)
    o.begin()
    return o, cp


def rule(name, **k):
    return RouteRule(name, frozenset(["s"]), **k)
