"""Pub/Sub over gRPC, on one grpc.aio server.

The raw message classes are the (de)serializers. Each call goes through a guard, which counts, asks
the faults for a verdict and turns a `PubsubError` into a status; what a call does is a line or two
on the catalog.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from logship_sandbox.faults import Action, Counts, Faults, Verdict
from logship_sandbox.pubsub_catalog import Catalog, SubscriptionSpec, TopicSpec, page_of
from logship_sandbox.pubsub_messages import PublishRequest, PubsubError
from logship_sandbox.pubsub_outlet import Outlet
from logship_sandbox.pubsub_stream import (
    PullRequest,
    PullResponse,
    Stream,
    StreamRequest,
    check_deadline,
    pull,
)
from logship_sandbox.pubsub_subscription import Subscription

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_BROKEN = PubsubError(grpc.StatusCode.UNAVAILABLE, "Socket closed")


class _Sized(Protocol):
    def ByteSize(self) -> int: ...


class _Named(Protocol):
    """Get*, Delete* and List* requests, each with some of these."""

    topic: str
    subscription: str
    project: str
    page_size: int
    page_token: str


class _AckRequest(Protocol):
    subscription: str
    ack_ids: Sequence[str]
    ack_deadline_seconds: int


class _Context(Protocol):
    async def abort(self, code: grpc.StatusCode, details: str) -> None: ...
    async def write(self, message: object) -> None: ...


_Request = TypeVar("_Request")


class PubsubApi:
    """Publisher and Subscriber over one catalog."""

    def __init__(self, faults: Faults, max_bytes: int) -> None:
        self.counts = Counts()
        self.catalog = Catalog(max_bytes, self.counts)
        self.catalog.on_new = self._open
        self._faults = faults
        self._outlets: dict[str, Outlet] = {}
        self._closing = asyncio.Event()
        faults.on_set.append(self._ring_all)

    def handlers(self) -> list[grpc.GenericRpcHandler]:
        """For a grpc.aio server."""
        publisher = {
            "CreateTopic": self._unary(self._create_topic, types.Topic, types.Topic),
            "GetTopic": self._unary(self._get_topic, types.GetTopicRequest, types.Topic),
            "ListTopics": self._unary(
                self._list_topics, types.ListTopicsRequest, types.ListTopicsResponse
            ),
            "ListTopicSubscriptions": self._unary(
                self._list_topic_subscriptions,
                types.ListTopicSubscriptionsRequest,
                types.ListTopicSubscriptionsResponse,
            ),
            "DeleteTopic": self._unary(self._delete_topic, types.DeleteTopicRequest, None),
            "Publish": self._unary(self._publish, types.PublishRequest, types.PublishResponse),
        }
        subscriber = {
            "CreateSubscription": self._unary(
                self._create_subscription, types.Subscription, types.Subscription
            ),
            "GetSubscription": self._unary(
                self._get_subscription, types.GetSubscriptionRequest, types.Subscription
            ),
            "ListSubscriptions": self._unary(
                self._list_subscriptions,
                types.ListSubscriptionsRequest,
                types.ListSubscriptionsResponse,
            ),
            "DeleteSubscription": self._unary(
                self._delete_subscription, types.DeleteSubscriptionRequest, None
            ),
            "Pull": self._unary(self._pull, types.PullRequest, types.PullResponse),
            "Acknowledge": self._unary(self._acknowledge, types.AcknowledgeRequest, None),
            "ModifyAckDeadline": self._unary(self._modify, types.ModifyAckDeadlineRequest, None),
            "StreamingPull": grpc.stream_stream_rpc_method_handler(
                self._streaming_pull,
                request_deserializer=types.StreamingPullRequest.pb().FromString,
                response_serializer=types.StreamingPullResponse.pb().SerializeToString,
            ),
        }
        return [
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", publisher),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", subscriber),
        ]
