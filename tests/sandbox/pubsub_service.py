"""A Pub/Sub to test against, the sandbox's or Google's emulator, in few words."""

import time
from dataclasses import dataclass

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient, types

TIMEOUT_SECS = 10.0


@dataclass(frozen=True)
class Service:
    """Both clients, and a project of this test's own."""

    publisher: PublisherClient
    subscriber: SubscriberClient
    channel: grpc.Channel
    project: str

    def topic_name(self, topic: str = "topic") -> str:
        return f"{self.project}/topics/{topic}"

    def name(self, subscription: str = "sub") -> str:
        return f"{self.project}/subscriptions/{subscription}"

    def create_topic(self, topic: str = "topic") -> types.Topic:
        return self.publisher.create_topic(name=self.topic_name(topic), retry=None)

    def subscribe(self, subscription: str = "sub", **spec: object) -> types.Subscription:
        request = {"name": self.name(subscription), "topic": self.topic_name(), **spec}
        return self.subscriber.create_subscription(request=request, retry=None)

    def publish(self, *messages: types.PubsubMessage, topic: str = "topic") -> list[str]:
        response = self.publisher.publish(
            topic=self.topic_name(topic), messages=list(messages), retry=None, timeout=TIMEOUT_SECS
        )
        return list(response.message_ids)

    def publish_data(self, *data: bytes) -> list[str]:
        return self.publish(*(types.PubsubMessage(data=d) for d in data))

    def pull(
        self, subscription: str = "sub", most: int = 100, secs: float = TIMEOUT_SECS
    ) -> list[types.ReceivedMessage]:
        """What one Pull gives; empty when nothing comes within about `secs`."""
        name = self.name(subscription)
        response = self.subscriber.pull(
            subscription=name, max_messages=most, retry=None, timeout=secs
        )
        return list(response.received_messages)

    def pull_all(self, count: int, subscription: str = "sub") -> list[types.ReceivedMessage]:
        """`count` deliveries, over as many pulls as it takes."""
        deadline = time.monotonic() + TIMEOUT_SECS
        received: list[types.ReceivedMessage] = []
        while len(received) < count:
            assert time.monotonic() < deadline, f"{len(received)} of {count} messages came"
            received += self.pull(subscription)
        return received

    def acknowledge(self, *ack_ids: str, subscription: str = "sub") -> None:
        self.subscriber.acknowledge(
            subscription=self.name(subscription), ack_ids=list(ack_ids), retry=None
        )

    def modify(self, secs: int, *ack_ids: str) -> None:
        self.subscriber.modify_ack_deadline(
            subscription=self.name(), ack_ids=list(ack_ids), ack_deadline_seconds=secs, retry=None
        )


def data_of(received: list[types.ReceivedMessage]) -> list[bytes]:
    return sorted(r.message.data for r in received)
