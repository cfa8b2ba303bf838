"""Topics and subscriptions by name, and the way of a message from one to the others.

Plain state like `pubsub_subscription`. Resources are kept as the messages they were created with.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import grpc
from google.pubsub_v1 import types

from logship_sandbox.faults import Counts
from logship_sandbox.pubsub_messages import (
    PublishRequest,
    PubsubError,
    PubsubMessage,
    check_name,
    check_publish,
)
from logship_sandbox.pubsub_policy import SubscriptionSpec, policy_of
from logship_sandbox.pubsub_subscription import Entry, Message, Subscription

DELETED_TOPIC = "_deleted-topic_"
_DEAD_LETTER = "CloudPubSubDeadLetterSource"


class TopicSpec(Protocol):
    """google.pubsub.v1.Topic."""

    name: str

    def ByteSize(self) -> int: ...


@dataclass(eq=False)
class Topic:
    """A topic, and who gets its messages."""

    spec: TopicSpec
    subscriptions: dict[str, Subscription] = field(default_factory=dict)


_Value = TypeVar("_Value")


class Catalog:
    """Every topic and subscription of the sandbox."""

    def __init__(self, max_bytes: int, counts: Counts) -> None:
        self.topics: dict[str, Topic] = {}
        self.specs: dict[str, SubscriptionSpec] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.held_bytes = 0
        self.on_new: Callable[[Subscription], None] = lambda subscription: None
        self._max_bytes = max_bytes
        self._counts = counts
        self._message_ids = itertools.count(1)

    def topic(self, name: str) -> Topic:
        """The topic of this name, or NOT_FOUND."""
        return _found(self.topics, name, "Topic")

    def subscription(self, name: str) -> Subscription:
        """The subscription of this name, or NOT_FOUND."""
        return _found(self.subscriptions, name, "Subscription")

    def create_topic(self, spec: TopicSpec) -> TopicSpec:
        """CreateTopic."""
        check_name(spec.name, "topics")
        _refuse_existing(self.topics, spec.name, "Topic")
        self.topics[spec.name] = Topic(spec)
        return spec

    def delete_topic(self, name: str) -> None:
        """DeleteTopic: its subscriptions stay, and keep what they have."""
        for subscription in self.topic(name).subscriptions:
            self.specs[subscription].topic = DELETED_TOPIC
        del self.topics[name]

    def create_subscription(self, spec: SubscriptionSpec) -> SubscriptionSpec:
        """CreateSubscription."""
        check_name(spec.name, "subscriptions")
        topic = self.topic(spec.topic)
        _refuse_existing(self.subscriptions, spec.name, "Subscription")
        policy = policy_of(spec)
        if policy.max_attempts:
            _found(self.topics, spec.dead_letter_policy.dead_letter_topic, "Dead letter topic")
        created = Subscription(spec.name, policy, self._forget, lambda e: self._bury(spec, e))
        self.on_new(created)
        spec.ack_deadline_seconds = policy.ack_deadline_secs
        if policy.max_attempts:
            spec.dead_letter_policy.max_delivery_attempts = policy.max_attempts
        self.specs[spec.name] = spec
        self.subscriptions[spec.name] = created
        topic.subscriptions[spec.name] = created
        return spec

    def delete_subscription(self, name: str) -> None:
        """DeleteSubscription: what it holds is gone."""
        self.subscription(name).close()
        topic = self.topics.get(self.specs[name].topic)
        if topic is not None:
            del topic.subscriptions[name]
        del self.specs[name], self.subscriptions[name]

    def publish(self, request: PublishRequest) -> list[str]:
        """Publish: the ids, in the order of the messages."""
        topic = self.topic(request.topic)
        check_publish(request)
        size = request.ByteSize()
        if self.held_bytes + size > self._max_bytes:
            raise PubsubError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"the sandbox holds {self.held_bytes} bytes of unacknowledged messages and may "
                f"hold {self._max_bytes} (--pubsub-max-bytes)",
            )
        self._counts.entries += len(request.messages)
        return self._deliver(topic, request.messages)

    def _deliver(self, topic: Topic, messages: Sequence[PubsubMessage]) -> list[str]:
        now = time.time_ns()
        ids = []
        for message in messages:
            message.message_id = str(next(self._message_ids))
            message.publish_time.FromNanoseconds(now)
            ids.append(message.message_id)
            held = Message(message, message.ByteSize())
            for subscription in topic.subscriptions.values():
                subscription.offer(held)
            if held.holders:
                self.held_bytes += held.size_bytes
        return ids

    def _forget(self, message: Message) -> None:
        message.holders -= 1
        if not message.holders:
            self.held_bytes -= message.size_bytes

    def _bury(self, spec: SubscriptionSpec, entry: Entry) -> bool:
        topic = self.topics.get(spec.dead_letter_policy.dead_letter_topic)
        if topic is None:
            return False
        copy: PubsubMessage = types.PubsubMessage.pb()()
        original = entry.message.message
        copy.CopyFrom(original)
        _, project, _, name = spec.name.split("/")
        copy.attributes[f"{_DEAD_LETTER}DeliveryCount"] = str(entry.attempts)
        copy.attributes[f"{_DEAD_LETTER}Subscription"] = name
        copy.attributes[f"{_DEAD_LETTER}SubscriptionProject"] = project
        published = original.publish_time.ToJsonString()
        copy.attributes[f"{_DEAD_LETTER}TopicPublishTime"] = published
        self._deliver(topic, [copy])
        return True


def page_of(names: Iterable[str], size: int, token: str) -> tuple[list[str], str]:
    """One page of a listing in the order of names, and the token of the next."""
    ordered = sorted(name for name in names if name > token)
    size = size if size > 0 else 100
    return ordered[:size], ordered[size - 1] if len(ordered) > size else ""


def _found(where: Mapping[str, _Value], name: str, kind: str) -> _Value:
    value = where.get(name)
    if value is None:
        raise PubsubError(grpc.StatusCode.NOT_FOUND, f"{kind} not found: {name}")
    return value


def _refuse_existing(where: Mapping[str, object], name: str, kind: str) -> None:
    if name in where:
        raise PubsubError(grpc.StatusCode.ALREADY_EXISTS, f"{kind} already exists: {name}")
