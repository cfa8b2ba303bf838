"""The source `pubsub` against the sandbox, fed by Google's own publisher and by our sink."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from logship_gcp import block_format
from logship_gcp.pubsub.incoming import ENCODING, REASON
from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig
from logship_gcp.pubsub.source import PubsubSource, PubsubSourceConfig

from logship.api import Batch, ConfigError, Feed, Labels, LogFile, OpenFeed, Origin
from logship.testing import context, texts_batch

WAIT_SECS = 15.0


class OneFeed:
    """A catalog that opens feeds of every origin, and waits for batches of the first."""

    def __init__(self, feeds: int = 1) -> None:
        self.count = feeds
        self.feeds: list[Feed] = []
        self.origins: list[Origin] = []
        self.ready = asyncio.Event()
        self.told = False

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        assert not isinstance(log, LogFile)
        self.origins.append(origin)
        if not self.feeds:
            self.feeds = [log(self.ready.set) for _ in range(self.count)]

    def complete(self) -> None:
        assert self.origins, "nothing was added"
        self.told = True

    def update(self, key: str, labels: Labels) -> None: ...
    def touch(self, key: str) -> None: ...
    def retire(self, key: str) -> None: ...

    async def next(self, feed: int = 0) -> Batch:
        async with asyncio.timeout(WAIT_SECS):
            while True:
                self.ready.clear()
                if self.feeds and (batch := await self.feeds[feed].take(1 << 20)) is not None:
                    return batch
                await self.ready.wait()

    async def texts(self, count: int) -> list[str]:
        """The texts of so many rows, settled."""
        found: list[str] = []
        while len(found) < count:
            batch = await self.next()
            found += batch.rows.texts
            self.feeds[0].settle(batch)
        return found


@asynccontextmanager
async def reading(broker: Any, catalog: OneFeed, **options: Any) -> AsyncIterator[PubsubSource]:
    tested = context("in")
    config = PubsubSourceConfig(
        subscription=broker.subscription, endpoint=broker.endpoint, **options
    )
    source = PubsubSource(config, tested)
    task = asyncio.create_task(source.run(catalog))
    try:
        yield source
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=WAIT_SECS)
        if source._ending is not None:
            await asyncio.sleep(0)  # it has begun
            source._ending.cancel()
            await asyncio.wait([source._ending], timeout=WAIT_SECS)
        tested.world.offload.close()


Use = Callable[[OneFeed], Awaitable[Any]]


def read(broker: Any, use: Use, *, feeds: int = 1, **options: Any) -> Any:
    async def main() -> Any:
        catalog = OneFeed(feeds)
        async with reading(broker, catalog, **options):
            return await asyncio.wait_for(use(catalog), 2 * WAIT_SECS)

    return asyncio.run(main())


async def first(catalog: OneFeed) -> Batch:
    batch = await catalog.next()
    catalog.feeds[0].settle(batch)
    assert catalog.told, "the agent would never be ready"
    return batch


def write(broker: Any, batch: Batch, **options: Any) -> None:
    async def main() -> None:
        tested = context("out")
        sink = PubsubSink(
            PubsubSinkConfig(topic=broker.topic, endpoint=broker.endpoint, **options), tested
        )
        await sink.start()
        await sink.write([batch])
        await sink.close()
        tested.world.offload.close()

    asyncio.run(main())


@pytest.mark.parametrize("pull", ["unary", "streaming"])
def test_a_block_arrives_with_its_origin_and_ids(broker: Any, pull: str) -> None:
    sent = texts_batch(["one", "two"])
    write(broker, sent)
    found = read(broker, first, pull=pull)
    assert found.origin.key == sent.origin.key
    assert found.labels.get("pod") == "web-0"
    assert found.ids() == sent.ids()
    assert found.rows == sent.rows
    assert broker.pull_all() == []


def test_records_arrive_with_ids_times_and_labels(broker: Any) -> None:
    texts = ['{"msg":"hello","n":1}', "plain", '{"no":"message"}']
    sent = texts_batch(texts)
    write(broker, sent, format="record")
    found = read(broker, first)
    assert sorted(found.rows.texts) == sorted(texts)
    assert dict(zip(found.ids(), found.rows.texts, strict=True)) == dict(
        zip(sent.ids(), texts, strict=True)
    )
    assert found.labels.get("namespace") == "shop"
    assert found.rows.times[texts.index("plain")] == "2026-11-23T04:46:31.000000001Z"


def test_records_with_nested_json_arrive_as_the_same_texts(broker: Any) -> None:
    text = '{"msg": "spaces  stay", "n": 1.50}'
    write(broker, texts_batch([text]), format="record", json_columns="value")
    assert read(broker, first).rows.texts == [text]


def test_googles_client_reads_our_records(broker: Any) -> None:
    write(broker, texts_batch(["hello"]), format="record")
    [found] = broker.pull_all()
    assert json.loads(found.message.data)["message"] == "hello"
    assert found.message.attributes["namespace"] == "shop"


def test_a_foreign_message_has_its_message_id_and_time(broker: Any) -> None:
    [message_id] = broker.publish(
        (b'{"timestamp":"2026-01-02T03:04:05Z","a":1}', {"team": "blue", "namespace": "web"})
    )
    found = read(broker, first)
    assert found.ids() == [message_id]
    assert found.rows.times == ["2026-01-02T03:04:05Z"]
    assert found.labels.get("namespace") == "web"
    assert dict(found.extra) == {"team": "blue"}
    assert not found.rows.marks


def test_a_foreign_message_without_a_time_has_that_of_its_publishing(broker: Any) -> None:
    broker.publish((b"hello\nworld", {}))
    found = read(broker, first)
    assert found.rows.texts == ["hello\nworld"]
    assert found.rows.times[0].startswith("20")


@pytest.mark.parametrize(
    ("content", "attributes", "reason"),
    [
        (b"\x8aLSB\x07junk", {"format": "block/1"}, "block format 7"),
        (block_format.encode(texts_batch(["x"]))[:-3], {"format": "block/1"}, "payload is damaged"),
        (b"{}", {"format": "record/1"}, "not a record"),
    ],
)
def test_what_cannot_be_decoded_goes_on_marked_with_the_reason(
    broker: Any, content: bytes, attributes: dict[str, str], reason: str
) -> None:
    broker.publish((content, attributes))
    found = read(broker, first)
    assert found.rows.mark(0).malformed
    assert reason in found.extra[REASON]
    assert (found.extra.get(ENCODING) == "base64") == (content[0] == 0x8A)
    assert broker.pull_all() == []


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


def test_a_subscription_that_cannot_be_is_said_before_anything_starts() -> None:
    with pytest.raises(ConfigError, match="a name of Pub/Sub"):
        PubsubSource(PubsubSourceConfig(subscription="a"), context("in"))
