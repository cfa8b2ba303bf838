"""How a consumer keeps, extends and ends leases, on a broker that a test writes itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
import pytest
from logship_gcp.auth import Anonymous
from logship_gcp.pubsub.channel import Link
from logship_gcp.pubsub.consumer import Consumer, Limits
from logship_gcp.pubsub.incoming import Received
from logship_gcp.pubsub.leases import LeaseFeed, Leases
from logship_gcp.pubsub.subscriber import Leased, Subscriber

from logship.api import Labels, Origin
from logship.testing import context
from logship.world import Clock, Disk, Offload, World

ORIGIN = Origin("projects/p/subscriptions/s", Labels({}))


class FastClock(Clock):
    """A minute passes in a tenth of a second."""

    async def sleep(self, secs: float) -> None:
        await super().sleep(secs / 600)


class Broker(Subscriber):
    """Says what it was asked, and fails on request."""

    def __init__(self, link: Link) -> None:
        super().__init__(link, ORIGIN.key, 5)
        self.coming: asyncio.Queue[list[Leased]] = asyncio.Queue()
        self.acks: list[str] = []
        self.extended: asyncio.Queue[tuple[tuple[str, ...], int]] = asyncio.Queue()
        self.failures = 0

    async def pull(self, max_messages: int) -> list[Leased]:
        return await self.coming.get()

    async def acknowledge(self, ack_ids: Sequence[str]) -> None:
        if self.failures:
            self.failures -= 1
            raise grpc.aio.AioRpcError(
                grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata()
            )
        self.acks += ack_ids

    async def extend(self, ack_ids: Sequence[str], secs: int) -> None:
        self.extended.put_nowait((tuple(ack_ids), secs))


def leased(ack_id: str, message_id: str, content: bytes = b"x") -> Leased:
    return Leased(ack_id, Received(message_id, 1_795_409_191_000_000_000, content, {}))


Use = Callable[[Broker, LeaseFeed, Consumer], Awaitable[Any]]


def consuming(use: Use, max_bytes: int = 1000) -> Any:
    async def main() -> Any:
        offload = Offload(threads=1)
        tested = context("in", using=World(FastClock(), Disk(offload), offload))
        link = Link(grpc.aio.insecure_channel("127.0.0.1:1"), Anonymous())
        broker, leases = Broker(link), Leases()
        consumer = Consumer(broker, leases, Limits(max_bytes, 60), tested)
        feed = leases.open(ORIGIN, lambda: None)
        running = asyncio.create_task(consumer.run(1, streaming=False))
        try:
            async with asyncio.timeout(10):
                return await use(broker, feed, consumer)
        finally:
            running.cancel()
            await asyncio.wait([running])
            await link.close()
            offload.close()

    return asyncio.run(main())


async def taken(feed: LeaseFeed) -> Any:
    while (batch := await feed.take(1)) is None:
        await asyncio.sleep(0.001)
    return batch


async def acknowledged(broker: Broker, *ack_ids: str) -> None:
    while broker.acks != list(ack_ids):
        await asyncio.sleep(0.001)


def test_a_lease_is_extended_at_once_and_again_until_it_is_settled() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.coming.put_nowait([leased("a1", "m1")])
        batch = await taken(feed)
        for _round in range(3):
            assert await broker.extended.get() == (("a1",), 60)
        feed.settle(batch)
        await acknowledged(broker, "a1")
        while not broker.extended.empty():
            broker.extended.get_nowait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(broker.extended.get(), 0.15)

    consuming(use)


def test_a_message_that_comes_again_is_not_offered_twice_and_is_acked_by_its_new_lease() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.coming.put_nowait([leased("a1", "m1")])
        batch = await taken(feed)
        broker.coming.put_nowait([leased("a2", "m1"), leased("b1", "m2")])
        other = await taken(feed)
        assert other.ids() == ["m2"]
        feed.settle(batch)
        await acknowledged(broker, "a2")

    consuming(use)


def test_an_acknowledgement_that_fails_is_tried_again() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.failures = 3
        broker.coming.put_nowait([leased("a1", "m1")])
        feed.settle(await taken(feed))
        await acknowledged(broker, "a1")

    consuming(use)


def test_a_batch_settled_twice_acknowledges_once() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.coming.put_nowait([leased("a1", "m1")])
        batch = await taken(feed)
        feed.settle(batch)
        feed.settle(batch)
        feed.release(batch)
        await acknowledged(broker, "a1")
        assert await feed.take(1) is None

    consuming(use)


def test_nothing_is_pulled_while_there_is_no_room() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.coming.put_nowait([leased("a1", "m1", b"x" * 2000)])
        batch = await taken(feed)
        broker.coming.put_nowait([leased("b1", "m2")])
        for _turn in range(50):
            await asyncio.sleep(0)
        assert broker.coming.qsize() == 1
        feed.settle(batch)
        await taken(feed)

    consuming(use)


def test_rows_of_many_messages_of_one_origin_are_one_batch() -> None:
    async def use(broker: Broker, feed: LeaseFeed, _: Consumer) -> None:
        broker.coming.put_nowait([leased(f"a{n}", f"m{n}") for n in range(3)])
        batch = await taken(feed)
        assert batch.ids() == ["m0", "m1", "m2"]
        feed.settle(batch.keep([1, 0, 0]))
        await acknowledged(broker, "a0", "a1", "a2")

    consuming(use)
