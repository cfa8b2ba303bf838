"""google.pubsub.v1 Publisher and Subscriber: what each call does, a line or two on the catalog."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

import grpc
from google.pubsub_v1 import types

from logship_sandbox.faults import Counts, Faults
from logship_sandbox.pubsub_catalog import Catalog, TopicSpec, page_of
from logship_sandbox.pubsub_guard import Context, Guard, Handler
from logship_sandbox.pubsub_iam import (
    TEST_REQUEST,
    TEST_RESPONSE,
    PermissionsRequest,
    granted,
)
from logship_sandbox.pubsub_messages import PublishRequest, invalid
from logship_sandbox.pubsub_outlet import Outlet
from logship_sandbox.pubsub_policy import SubscriptionSpec
from logship_sandbox.pubsub_stream import (
    PullRequest,
    PullResponse,
    Stream,
    StreamRequest,
    check_deadline,
    pull,
)
from logship_sandbox.pubsub_subscription import Subscription


class _TopicRequest(Protocol):
    topic: str
    page_size: int
    page_token: str

    def ByteSize(self) -> int: ...


class _SubscriptionRequest(Protocol):
    subscription: str

    def ByteSize(self) -> int: ...


class _ListRequest(Protocol):
    project: str
    page_size: int
    page_token: str

    def ByteSize(self) -> int: ...


class _AckRequest(_SubscriptionRequest, Protocol):
    ack_ids: Sequence[str]
    ack_deadline_seconds: int


class PubsubApi:
    """The handlers of both services over one catalog."""

    def __init__(self, faults: Faults, max_bytes: int) -> None:
        self.counts = Counts()
        self.catalog = Catalog(max_bytes, self.counts)
        self.catalog.on_new = self._open
        self._outlets: dict[str, Outlet] = {}
        self._faults = faults
        self._closed = False
        self._guard = Guard(faults, self.counts)
        faults.on_change.append(self._ring)

    def handlers(self) -> "list[grpc.GenericRpcHandler[Any, Any]]":
        """For a grpc.aio server."""
        return [
            grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", self._publisher()),
            grpc.method_handlers_generic_handler("google.pubsub.v1.Subscriber", self._subscriber()),
            grpc.method_handlers_generic_handler("google.iam.v1.IAMPolicy", self._policy()),
        ]

    def close(self) -> None:
        """End the calls that wait."""
        self._closed = True
        self._guard.close()
        for outlet in self._outlets.values():
            outlet.close()

    def _publisher(self) -> dict[str, Handler]:
        unary = self._guard.unary
        return {
            "CreateTopic": unary(self._create_topic, types.Topic, types.Topic),
            "GetTopic": unary(self._get_topic, types.GetTopicRequest, types.Topic),
            "ListTopics": unary(
                self._list_topics, types.ListTopicsRequest, types.ListTopicsResponse
            ),
            "ListTopicSubscriptions": unary(
                self._list_topic_subscriptions,
                types.ListTopicSubscriptionsRequest,
                types.ListTopicSubscriptionsResponse,
            ),
            "DeleteTopic": unary(self._delete_topic, types.DeleteTopicRequest, None),
            "Publish": unary(self._publish, types.PublishRequest, types.PublishResponse),
        }

    def _subscriber(self) -> dict[str, Handler]:
        unary = self._guard.unary
        return {
            "CreateSubscription": unary(
                self._create_subscription, types.Subscription, types.Subscription
            ),
            "GetSubscription": unary(
                self._get_subscription, types.GetSubscriptionRequest, types.Subscription
            ),
            "ListSubscriptions": unary(
                self._list_subscriptions,
                types.ListSubscriptionsRequest,
                types.ListSubscriptionsResponse,
            ),
            "DeleteSubscription": unary(
                self._delete_subscription, types.DeleteSubscriptionRequest, None
            ),
            "Pull": self._guard.waiting(self._pull, types.PullRequest, types.PullResponse),
            "Acknowledge": unary(self._acknowledge, types.AcknowledgeRequest, None),
            "ModifyAckDeadline": unary(self._modify, types.ModifyAckDeadlineRequest, None),
            "StreamingPull": self._guard.stream(
                self._streaming_pull, types.StreamingPullRequest, types.StreamingPullResponse
            ),
        }

    def _policy(self) -> dict[str, Handler]:
        test = self._guard.unary(self._test_permissions, TEST_REQUEST, TEST_RESPONSE)
        return {"TestIamPermissions": test}

    async def _test_permissions(self, request: PermissionsRequest) -> object:
        known = request.resource in self.catalog.topics or request.resource in self.catalog.specs
        return granted(request, self._faults.current("pubsub") if known else None)

    async def _create_topic(self, request: TopicSpec) -> TopicSpec:
        return self.catalog.create_topic(request)

    async def _get_topic(self, request: _TopicRequest) -> TopicSpec:
        self._guard.need("pubsub.topics.get")
        return self.catalog.topic(request.topic).spec

    async def _list_topics(self, request: _ListRequest) -> object:
        names = [n for n in self.catalog.topics if n.startswith(f"{request.project}/")]
        page, token = page_of(names, request.page_size, request.page_token)
        topics = [self.catalog.topics[name].spec for name in page]
        return types.ListTopicsResponse.pb()(topics=topics, next_page_token=token)

    async def _list_topic_subscriptions(self, request: _TopicRequest) -> object:
        self._guard.need("pubsub.topics.get")
        names = self.catalog.topic(request.topic).subscriptions
        page, token = page_of(names, request.page_size, request.page_token)
        return types.ListTopicSubscriptionsResponse.pb()(subscriptions=page, next_page_token=token)

    async def _delete_topic(self, request: _TopicRequest) -> None:
        self.catalog.delete_topic(request.topic)

    async def _publish(self, request: PublishRequest) -> object:
        self._guard.need("pubsub.topics.publish")
        fault = self._faults.current("pubsub")
        if any(fault.poisons(message.data) for message in request.messages):
            raise invalid("Invalid data in message: it does not match the topic's schema")
        return types.PublishResponse.pb()(message_ids=self.catalog.publish(request))

    async def _create_subscription(self, request: SubscriptionSpec) -> SubscriptionSpec:
        return self.catalog.create_subscription(request)

    async def _get_subscription(self, request: _SubscriptionRequest) -> SubscriptionSpec:
        self._guard.need("pubsub.subscriptions.get")
        self.catalog.subscription(request.subscription)
        return self.catalog.specs[request.subscription]

    async def _list_subscriptions(self, request: _ListRequest) -> object:
        names = [n for n in self.catalog.specs if n.startswith(f"{request.project}/")]
        page, token = page_of(names, request.page_size, request.page_token)
        specs = [self.catalog.specs[name] for name in page]
        return types.ListSubscriptionsResponse.pb()(subscriptions=specs, next_page_token=token)

    async def _delete_subscription(self, request: _SubscriptionRequest) -> None:
        self.catalog.delete_subscription(request.subscription)
        self._outlets.pop(request.subscription).close()

    async def _pull(self, request: PullRequest, client_secs: float | None) -> PullResponse:
        outlet = self._outlet(request.subscription)
        policy = self.catalog.subscription(request.subscription).policy
        return await pull(request, outlet, policy, client_secs)

    async def _acknowledge(self, request: _AckRequest) -> None:
        self._outlet(request.subscription).acknowledge(_some(request.ack_ids))

    async def _modify(self, request: _AckRequest) -> None:
        outlet = self._outlet(request.subscription)
        check_deadline(request.ack_deadline_seconds)
        outlet.modify(_some(request.ack_ids), request.ack_deadline_seconds)

    async def _streaming_pull(
        self, requests: AsyncIterator[StreamRequest], context: Context
    ) -> None:
        first = await anext(requests, None)
        if first is None:
            return
        outlet = self._outlet(first.subscription)
        policy = self.catalog.subscription(first.subscription).policy
        stream = Stream(first, outlet, policy, self._stopped)
        await stream.run(requests, context.write)

    def _outlet(self, subscription: str) -> Outlet:
        self._guard.need("pubsub.subscriptions.consume")
        self.catalog.subscription(subscription)
        return self._outlets[subscription]

    def _stopped(self) -> bool:
        """Whether open streams break, as with a server that goes away."""
        return self._closed or self._faults.stopped("pubsub")

    def _open(self, subscription: Subscription) -> None:
        self._outlets[subscription.name] = Outlet(subscription)

    def _ring(self) -> None:
        for outlet in self._outlets.values():
            outlet.ring()


def _some(ack_ids: Sequence[str]) -> Sequence[str]:
    if not ack_ids:
        raise invalid("ack_ids must not be empty")
    return ack_ids
