"""A feed of a subscription that nobody reads any more, because its route has changed."""

import asyncio

from logship_gcp.pubsub.incoming import Gathered
from logship_gcp.pubsub.leases import Leases

from logship.api import Batch, Labels, Origin
from logship.testing import texts_batch

ORIGIN = Origin("projects/p/subscriptions/s", Labels({"source": "in"}))


def offered(leases: Leases, message: str) -> None:
    delivery = leases.accept(message, f"ack-{message}", 100)
    assert delivery is not None
    leases.offer([Gathered(texts_batch([message]), (0,))], [delivery])


def taken(feed: object) -> Batch:
    batch = asyncio.run(feed.take(1 << 20))  # type: ignore[attr-defined]
    assert isinstance(batch, Batch)
    return batch


def test_what_a_closed_feed_had_not_settled_comes_again_and_holds_nothing_back() -> None:
    leases = Leases()
    old = leases.open(ORIGIN, lambda: None)
    for message in ("taken", "waiting"):
        offered(leases, message)
    out = taken(old)
    old.close()
    old.settle(out)  # what it had out counts for nobody
    assert (leases.acks, leases.leased(), leases.held_bytes, leases.idle()) == ([], [], 0, True)
    new = leases.open(ORIGIN, lambda: None)
    offered(leases, "taken")  # from the broker, when its lease has run out
    new.settle(taken(new))
    assert leases.acks == ["ack-taken"]


def test_a_message_that_one_of_two_feeds_gave_up_is_not_acknowledged_for_the_other() -> None:
    leases = Leases()
    stays, goes = leases.open(ORIGIN, lambda: None), leases.open(ORIGIN, lambda: None)
    offered(leases, "both")
    goes.close()
    stays.settle(taken(stays))
    assert leases.acks == []


def test_feeds_may_go_while_a_message_is_unpacked() -> None:
    leases = Leases()
    stays, goes = leases.open(ORIGIN, lambda: None), leases.open(ORIGIN, lambda: None)
    deliveries = [d for d in [leases.accept("a", "ack-a", 100)] if d]
    goes.close()
    leases.offer([Gathered(texts_batch(["a"]), (0,))], deliveries)
    stays.settle(taken(stays))
    assert (leases.acks, leases.held_bytes) == (["ack-a"], 0)
    deliveries = [d for d in [leases.accept("b", "ack-b", 100)] if d]
    stays.close()
    leases.offer([Gathered(texts_batch(["b"]), (0,))], deliveries)
    assert (leases.leased(), leases.held_bytes) == ([], 0)
