"""`pubsub` against the sandbox's Pub/Sub, in both formats; read again by Google's own client."""

import asyncio
import random
import string
from pathlib import Path
from typing import Any, ClassVar, Literal

import grpc.aio
import orjson
import psutil
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from logship_gcp import block_format
from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig

from logship.api import time_ns
from logship.testing import context
from logship_sandbox.faults import Fault
from logship_sandbox.server import Options, Sandbox
from tests.contract.harness import Able, Harness, Stored

_WAIT_SECS = 10.0
_TOPIC = "projects/shop/topics/app-logs"
_SUBSCRIPTION = "projects/shop/subscriptions/reader"
_OPTIONS = [("grpc.max_receive_message_length", -1)]


class PubsubHarness(Harness):
    able = frozenset(Able) - {Able.DEFER}
    max_text_bytes = 150_000
    format: ClassVar[Literal["block", "record"]] = "block"

    def __init__(self, _: Path) -> None:
        self._context = context("out")
        self._sandbox = Sandbox(Options(bigquery=False))
        self._stored: list[Stored] = []

    async def __aenter__(self) -> "PubsubHarness":
        await self._sandbox.start()
        self._port = self._sandbox.pubsub_port
        self._looking = grpc.aio.insecure_channel(f"127.0.0.1:{self._port}", options=_OPTIONS)
        transport: Any = PublisherGrpcAsyncIOTransport(channel=self._looking)
        await PublisherAsyncClient(transport=transport).create_topic(name=_TOPIC)
        transport = SubscriberGrpcAsyncIOTransport(channel=self._looking)
        self._reader = SubscriberAsyncClient(transport=transport)
        await self._reader.create_subscription(name=_SUBSCRIPTION, topic=_TOPIC)
        config = PubsubSinkConfig(
            topic=_TOPIC,
            endpoint=f"127.0.0.1:{self._port}",
            format=self.format,
            max_message_bytes=170_000,
        )
        self.sink = PubsubSink(config, self._context)
        await self.sink.start()
        self._opened = len(self._connections())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.heal()
        await self.sink.close()
        await self._looking.close(None)
        await self._sandbox.close()
        self._context.world.offload.close()

    async def stored(self) -> list[Stored]:
        self.heal()  # reading is not what is troubled
        while messages := await self._pulled():
            for message in messages:
                self._stored += _rows(message.message.data)
            ids = [message.ack_id for message in messages]
            await self._reader.acknowledge(subscription=_SUBSCRIPTION, ack_ids=ids)
        return list(self._stored)

    async def _pulled(self) -> list[Any]:
        try:
            response = await self._reader.pull(
                subscription=_SUBSCRIPTION, max_messages=1000, timeout=0.3, retry=None
            )
        except DeadlineExceeded:
            return []
        return list(response.received_messages)

    def refused_row(self) -> tuple[str, int]:
        noise = random.Random(1).choices(string.ascii_letters + string.digits, k=250_000)
        return "".join(noise), 0

    def fail(self) -> None:
        self._sandbox.faults.set("pubsub", Fault(share_503=1.0))

    def flake(self) -> None:
        fault = Fault(share_503=0.2, share_429=0.1, share_lost=0.1, share_dropped=0.1, seed=7)
        self._sandbox.faults.set("pubsub", fault)

    def lose(self) -> None:
        self._sandbox.faults.set("pubsub", Fault(share_lost=1.0))

    def stall(self) -> None:
        self._sandbox.faults.set("pubsub", Fault(share_hung=1.0))

    async def stalled(self) -> None:
        async with asyncio.timeout(_WAIT_SECS):
            while not self._sandbox.pubsub.counts.errors["hang"]:  # the sandbox tells by counts
                await asyncio.sleep(0.001)

    def heal(self) -> None:
        self._sandbox.faults.clear()

    def held_open(self) -> list[str]:
        """Channels to one server may share a connection: there is none beyond the reader's."""
        found = self._connections()
        return found[self._opened :]

    def _connections(self) -> list[str]:
        connections = psutil.Process().net_connections("tcp")
        return [str(c) for c in connections if c.raddr and c.raddr.port == self._port]


class PubsubRecordHarness(PubsubHarness):
    format = "record"


def _rows(content: bytes) -> list[Stored]:
    if block_format.is_block(content):
        batch = block_format.decode(content)
        rows = zip(batch.ids(), batch.rows.times, batch.rows.texts, strict=True)
        return [Stored(row_id, time_ns(time), text) for row_id, time, text in rows]
    record = orjson.loads(content)
    when = time_ns(record["timestamp"]) + record.get("nanos", 0)
    return [Stored(record["insert_id"], when, record["message"])]
