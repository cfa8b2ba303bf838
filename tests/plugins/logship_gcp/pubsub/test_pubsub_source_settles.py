"""What the source `pubsub` acknowledges, gives back, and holds at most."""

import asyncio
from contextlib import suppress
from typing import Any

from logship_gcp.pubsub.source import PubsubSource, PubsubSourceConfig

from logship.testing import context, texts_batch
from tests.plugins.logship_gcp.pubsub.one_feed import WAIT_SECS, OneFeed, read, write


def test_a_message_is_acknowledged_only_when_every_feed_has_settled_it(broker: Any) -> None:
    broker.publish((b"one", {}))

    async def use(catalog: OneFeed) -> None:
        batch = await catalog.next(0)
        catalog.feeds[0].settle(batch)
        other = await catalog.next(1)
        assert other.rows.texts == ["one"]

    read(broker, use, feeds=2)
    assert [found.message.data for found in broker.pull_all()] == [b"one"]


def test_a_released_batch_is_offered_again_with_the_same_ids(broker: Any) -> None:
    write(broker, texts_batch(["one", "two"]))

    async def use(catalog: OneFeed) -> None:
        batch = await catalog.next()
        catalog.feeds[0].release(batch.keep([0, 1]))
        again = await catalog.next()
        assert again.ids() == batch.ids()
        catalog.feeds[0].settle(again)

    read(broker, use)
    assert broker.pull_all() == []


def test_what_was_not_settled_is_given_back_at_once(broker: Any) -> None:
    broker.publish((b"one", {}))

    async def use(catalog: OneFeed) -> None:
        await catalog.next()

    read(broker, use, lease_secs=600)
    assert [found.message.data for found in broker.pull_all()] == [b"one"]


def test_what_is_settled_after_the_source_has_stopped_is_still_acknowledged(broker: Any) -> None:
    """The engine stops its sources first, then delivers what has been read."""
    broker.publish((b"one", {}))

    async def main() -> None:
        catalog = OneFeed()
        tested = context("in")
        source = PubsubSource(
            PubsubSourceConfig(subscription=broker.subscription, endpoint=broker.endpoint), tested
        )
        task = asyncio.create_task(source.run(catalog))
        batch = await catalog.next()
        task.cancel()
        await asyncio.wait([task], timeout=WAIT_SECS)
        catalog.feeds[0].settle(batch)
        assert source._ending is not None
        await asyncio.wait_for(source._ending, WAIT_SECS)
        tested.world.offload.close()

    asyncio.run(main())
    assert broker.pull_all() == []


def test_no_more_is_pulled_than_the_bound_allows(broker: Any) -> None:
    for number in range(60):
        broker.publish((b"%03d" % number + b"x" * 200_000, {}))

    async def use(catalog: OneFeed) -> list[str]:
        held = [await catalog.next()]
        with suppress(TimeoutError):
            while len(held) < 60:
                held.append(await asyncio.wait_for(catalog.next(), 1.0))
        # One pull may bring more than was expected of it.
        assert sum(batch.size() for batch in held) < 2_000_000 + 2 * 4 * 1024 * 1024
        for batch in held:
            catalog.feeds[0].settle(batch)
        seen = [text for batch in held for text in batch.rows.texts]
        return seen + await catalog.texts(60 - len(seen))

    texts = read(broker, use, max_outstanding_bytes=2_000_000)
    assert sorted(text[:3] for text in texts) == [f"{number:03d}" for number in range(60)]
