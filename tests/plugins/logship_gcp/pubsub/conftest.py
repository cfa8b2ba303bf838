"""A Publisher on loopback that does what a test tells it, and batches to send."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.rpc import error_details_pb2, status_pb2
from logship_gcp.pubsub.sink import PubsubSink, PubsubSinkConfig

from logship.testing import context
from logship_sandbox.faults import Faults
from logship_sandbox.pubsub_api import PubsubApi

REQUEST: Any = types.PublishRequest.pb()
RESPONSE: Any = types.PublishResponse.pb()


@dataclass
class Publisher:
    """Keeps what it takes; refuses messages that hold `poison`; fails while `failing` says so."""

    poison: bytes | None = None
    failing: list[grpc.StatusCode] = field(default_factory=list)
    """One code a call, used up from the front."""
    retry_secs: int | None = None
    messages: list[Any] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)

    async def publish(self, body: bytes, call: Any) -> Any:
        request = REQUEST.FromString(body)
        self.requests.append(request)
        self.metadata.append(dict(call.invocation_metadata()))
        if self.failing:
            await self._fail(self.failing.pop(0), call)
        if self.poison and any(self.poison in m.data for m in request.messages):
            await call.abort(grpc.StatusCode.INVALID_ARGUMENT, "a message is poisoned")
        self.messages.extend(request.messages)
        return RESPONSE(message_ids=[str(number) for number in range(len(request.messages))])

    async def _fail(self, code: grpc.StatusCode, call: Any) -> None:
        if self.retry_secs is not None:
            status = status_pb2.Status(code=code.value[0], message="not now")
            info = error_details_pb2.RetryInfo()
            info.retry_delay.seconds = self.retry_secs
            status.details.add().Pack(info)
            details = (("grpc-status-details-bin", status.SerializeToString()),)
            await call.abort(code, "not now", details)
        await call.abort(code, "not now")


@asynccontextmanager
async def serving(publisher: Publisher) -> AsyncIterator[str]:
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    handler = grpc.unary_unary_rpc_method_handler(
        publisher.publish, response_serializer=RESPONSE.SerializeToString
    )
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


Use = Callable[[PubsubSink], Awaitable[Any]]


@pytest.fixture
def with_sink() -> Callable[..., Any]:
    """Runs `use(sink)` against a publisher, in a loop of its own; gives what it returns."""

    def run(publisher: Publisher, use: Use, **options: Any) -> Any:
        async def main() -> Any:
            async with serving(publisher) as endpoint:
                tested = context("out")
                config = PubsubSinkConfig(
                    topic="app-logs", project="shop", endpoint=endpoint, **options
                )
                sink = PubsubSink(config, tested)
                await sink.start()
                try:
                    return await asyncio.wait_for(use(sink), 20)
                finally:
                    await sink.close()
                    tested.world.offload.close()

        return asyncio.run(main())

    return run


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


@dataclass
class Broker:
    """The sandbox's Pub/Sub, and Google's own clients to look into it."""

    endpoint: str
    publisher: Any
    subscriber: Any
    topic: str = "projects/shop/topics/app-logs"
    subscription: str = "projects/shop/subscriptions/loader"

    def publish(self, *messages: tuple[bytes, dict[str, str]]) -> list[str]:
        batch = [{"data": data, "attributes": values} for data, values in messages]
        response = self.publisher.publish(topic=self.topic, messages=batch)
        return list(response.message_ids)

    def pull_all(self) -> list[Any]:
        """Every message, by Google's client, acknowledged."""
        found: list[Any] = []
        while True:
            try:
                response = self.subscriber.pull(
                    subscription=self.subscription, max_messages=1000, timeout=1.0, retry=None
                )
            except DeadlineExceeded:
                return found
            if not response.received_messages:
                return found
            found += response.received_messages
            ids = [message.ack_id for message in response.received_messages]
            self.subscriber.acknowledge(subscription=self.subscription, ack_ids=ids)


def google_clients(endpoint: str) -> tuple[Any, Any]:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    channel = grpc.insecure_channel(endpoint, options=options)
    return (
        PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
        SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
    )


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A sandbox in a loop of its own thread, with the topic and the subscription of the tests."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    api = PubsubApi(Faults(), 1 << 30)

    async def start() -> tuple[Any, int]:
        server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)
            ]
        )  # fmt: skip
        server.add_generic_rpc_handlers(api.handlers())
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, port

    server, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    made = Broker(f"127.0.0.1:{port}", *google_clients(f"127.0.0.1:{port}"))
    made.publisher.create_topic(name=made.topic)
    made.subscriber.create_subscription(
        name=made.subscription, topic=made.topic, ack_deadline_seconds=10
    )
    try:
        yield made
    finally:
        made.publisher.transport.close()
        made.subscriber.transport.close()
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
