"""Raw asyncio calls of Pub/Sub, for what Google's client hides: streams, statuses, deadlines."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import grpc
import grpc.aio
import pytest
from google.pubsub_v1 import types

from logship_sandbox.server import Sandbox

TOPIC = "projects/proj/topics/topic"
NAME = "projects/proj/subscriptions/sub"


class Client:
    """A channel with gRPC's own 4 MB receive limit, as with PUBSUB_EMULATOR_HOST."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def call(self, method: str, request: object, response: object, secs: float = 5) -> object:
        service = "Publisher" if method in ("CreateTopic", "Publish") else "Subscriber"
        unary = self._channel.unary_unary(
            f"/google.pubsub.v1.{service}/{method}",
            request_serializer=type(request).serialize,  # type: ignore[attr-defined]
            response_deserializer=response.deserialize if response else None,  # type: ignore[attr-defined]
        )
        return await unary(request, timeout=secs)

    async def publish(self, *data: bytes) -> None:
        messages = [types.PubsubMessage(data=d) for d in data]
        request = types.PublishRequest(topic=TOPIC, messages=messages)
        await self.call("Publish", request, types.PublishResponse)

    async def pull(self) -> list[bytes]:
        request = types.PullRequest(subscription=NAME, max_messages=10, return_immediately=True)
        response = await self.call("Pull", request, types.PullResponse)
        return [r.message.data for r in response.received_messages]  # type: ignore[attr-defined]

    async def delete(self) -> None:
        request = types.DeleteSubscriptionRequest(subscription=NAME)
        await self.call("DeleteSubscription", request, None)

    async def stream(self, **first: object) -> "Pulling":
        call = self._channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=types.StreamingPullRequest.serialize,
            response_deserializer=types.StreamingPullResponse.deserialize,
        )(None)
        request = {"subscription": NAME, "stream_ack_deadline_seconds": 10, **first}
        await call.write(types.StreamingPullRequest(request))
        return Pulling(call)


class Pulling:
    """One open stream."""

    def __init__(self, call: "grpc.aio.StreamStreamCall[object, object]") -> None:
        self.call = call

    async def read(self, secs: float = 5) -> Sequence[types.ReceivedMessage]:
        """The next response; TimeoutError leaves the stream as it is no more."""
        async with asyncio.timeout(secs):
            response = await self.call.read()
        assert isinstance(response, types.StreamingPullResponse), response
        return response.received_messages

    async def send(self, **request: object) -> None:
        await self.call.write(types.StreamingPullRequest(request))

    async def status(self) -> grpc.StatusCode:
        """How it ends."""
        async with asyncio.timeout(5):
            return await self.call.code()


Test = Callable[[Sandbox, Client], Awaitable[None]]


def data_of(received: Sequence[types.ReceivedMessage]) -> list[bytes]:
    return [r.message.data for r in received]


async def code_of(call: Awaitable[object]) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code()
