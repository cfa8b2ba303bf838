"""The source `pubsub` with a catalog of one feed, and our sink to fill the subscription."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig
from logship_gcp.pubsub.source import PubsubSource, PubsubSourceConfig

from logship.api import Batch, Feed, Labels, LogFile, OpenFeed, Origin
from logship.testing import context

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
