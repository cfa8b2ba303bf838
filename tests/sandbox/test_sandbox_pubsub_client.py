"""The client that applications use, google-cloud-pubsub, against the sandbox as a process."""

import threading
import uuid
from collections.abc import Iterator

import google.cloud.pubsub_v1 as pubsub_v1
import pytest
from google.cloud.pubsub_v1.subscriber.message import Message

TIMEOUT_SECS = 15.0


@pytest.fixture
def names(pubsub_sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A topic and a subscription; the environment points the clients to them."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_sandbox)
    project = f"projects/p-{uuid.uuid4().hex[:12]}"
    topic, subscription = f"{project}/topics/topic", f"{project}/subscriptions/sub"
    pubsub_v1.PublisherClient().create_topic(name=topic)
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=subscription, topic=topic)
    return topic, subscription


def test_a_subscriber_gets_each_published_message_once(names: tuple[str, str]) -> None:
    topic, subscription = names
    publisher = pubsub_v1.PublisherClient()
    futures = [publisher.publish(topic, b"%d" % n, number=str(n)) for n in range(2000)]
    ids = {future.result(TIMEOUT_SECS) for future in futures}
    seen: list[str] = []
    complete = threading.Event()

    def receive(message: Message) -> None:
        assert message.data == message.attributes["number"].encode()
        seen.append(message.message_id)
        message.ack_with_response().result(TIMEOUT_SECS)
        if len(seen) == len(ids):
            complete.set()

    with pubsub_v1.SubscriberClient() as subscriber:
        pulling = subscriber.subscribe(subscription, receive)
        assert complete.wait(TIMEOUT_SECS), f"{len(seen)} of {len(ids)} came"
        pulling.cancel()
        pulling.result(TIMEOUT_SECS)
        left = subscriber.pull(subscription=subscription, max_messages=10, timeout=1)
    assert sorted(seen) == sorted(ids)
    assert not left.received_messages


def test_a_subscriber_that_nacks_gets_the_message_again(names: tuple[str, str]) -> None:
    topic, subscription = names
    attempts: list[str] = []
    acked = threading.Event()

    def receive(message: Message) -> None:
        attempts.append(message.message_id)
        if len(attempts) < 3:
            message.nack()
            return
        message.ack()
        acked.set()

    with pubsub_v1.SubscriberClient() as subscriber:
        pulling = subscriber.subscribe(subscription, receive)
        message_id = pubsub_v1.PublisherClient().publish(topic, b"x").result(TIMEOUT_SECS)
        assert acked.wait(TIMEOUT_SECS)
        pulling.cancel()
        pulling.result(TIMEOUT_SECS)
    assert attempts == [message_id] * 3


def test_what_a_cancelled_subscriber_left_goes_to_the_next(names: tuple[str, str]) -> None:
    topic, subscription = names
    publisher = pubsub_v1.PublisherClient()
    ids = {publisher.publish(topic, b"x" * 1000).result(TIMEOUT_SECS) for _ in range(300)}
    stuck = threading.Event()
    with pubsub_v1.SubscriberClient() as subscriber:
        pulling = subscriber.subscribe(subscription, lambda message: stuck.set())
        assert stuck.wait(TIMEOUT_SECS)
        pulling.cancel()
        pulling.result(TIMEOUT_SECS)
    seen: set[str] = set()
    complete = threading.Event()

    def receive(message: Message) -> None:
        message.ack()
        seen.add(message.message_id)
        if seen == ids:
            complete.set()

    with pubsub_v1.SubscriberClient() as subscriber:
        pulling = subscriber.subscribe(subscription, receive)
        assert complete.wait(TIMEOUT_SECS), f"{len(seen)} of {len(ids)} came"
        pulling.cancel()
        pulling.result(TIMEOUT_SECS)
