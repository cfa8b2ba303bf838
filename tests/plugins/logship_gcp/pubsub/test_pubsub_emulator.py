"""Our sink and source around Google's own emulator (unary Pull: its StreamingPull is broken)."""

import asyncio
from collections.abc import Iterator

import grpc
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig
from logship_gcp.pubsub.source import PubsubSource, PubsubSourceConfig

from logship.api import Feed, Labels, LogFile, OpenFeed, Origin
from logship.testing import context, origin_of, texts_batch
from tests.sandbox import googles_pubsub
from tests.sandbox.googles_pubsub import PROJECT

WAIT_SECS = 30.0


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """host:port of Google's emulator."""
    with googles_pubsub.emulator() as address:
        yield address


class Rows:
    """A catalog that reads and settles everything; every id with the texts it came with."""

    def __init__(self) -> None:
        self.texts: dict[str, set[str]] = {}
        self._feeds: list[Feed] = []
        self._ready = asyncio.Event()

    def add(self, origin: Origin, log: LogFile | OpenFeed) -> None:
        assert not isinstance(log, LogFile)
        self._feeds.append(log(self._ready.set))

    def complete(self) -> None: ...
    def update(self, key: str, labels: Labels) -> None: ...
    def touch(self, key: str) -> None: ...
    def retire(self, key: str) -> None: ...

    async def until(self, count: int) -> None:
        while len(self.texts) < count:
            self._ready.clear()
            batch = await self._feeds[0].take(1 << 20) if self._feeds else None
            if batch is None:
                await self._ready.wait()
                continue
            for row_id, text in zip(batch.ids(), batch.rows.texts, strict=True):
                self.texts.setdefault(row_id, set()).add(text)
            self._feeds[0].settle(batch)


@pytest.mark.parametrize("message_format", ["block", "record"])
def test_every_row_passes_googles_emulator_and_nothing_is_left(
    emulator: str, message_format: str
) -> None:
    topic = f"projects/{PROJECT}/topics/of-{message_format}"
    subscription = f"projects/{PROJECT}/subscriptions/of-{message_format}"
    channel = grpc.insecure_channel(emulator)
    PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(name=topic)
    reader = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    reader.create_subscription(name=subscription, topic=topic)
    batches = [
        texts_batch([f"row {n} of {pod}" for n in range(500)], origin_of(f"pod-{pod}"))
        for pod in range(6)
    ]
    expected = {
        row_id: {text}
        for batch in batches
        for row_id, text in zip(batch.ids(), batch.rows.texts, strict=True)
    }

    async def main() -> dict[str, set[str]]:
        tested = context("both")
        sink = PubsubSink(
            PubsubSinkConfig(topic=topic, endpoint=emulator, format=message_format), tested
        )
        source = PubsubSource(
            PubsubSourceConfig(subscription=subscription, endpoint=emulator), tested
        )
        rows = Rows()
        reading = asyncio.create_task(source.run(rows))
        await sink.start()
        await sink.write(batches)
        await asyncio.wait_for(rows.until(len(expected)), WAIT_SECS)
        reading.cancel()
        await asyncio.wait([reading])
        assert source._ending is not None
        await asyncio.wait_for(source._ending, WAIT_SECS)
        await sink.close()
        tested.world.offload.close()
        return rows.texts

    assert asyncio.run(main()) == expected
    left = reader.pull(subscription=subscription, max_messages=10, return_immediately=True)
    assert list(left.received_messages) == []
    channel.close()
