"""The limits of a publish and of a subscription, each one below, at and above.

Google's emulator checks almost none of these; the sandbox does, because the service does.
"""

import grpc
import pytest
from google.pubsub_v1 import types

from logship_sandbox.faults import Counts
from logship_sandbox.pubsub_catalog import Catalog
from logship_sandbox.pubsub_messages import MAX_PUBLISH_BYTES, PubsubError, check_publish

TOPIC = "projects/p/topics/topic"
SUBSCRIPTION = "projects/p/subscriptions/sub"


def status_of(*messages: types.PubsubMessage) -> grpc.StatusCode:
    request = types.PublishRequest(topic=TOPIC, messages=list(messages))
    try:
        check_publish(types.PublishRequest.pb(request))
    except PubsubError as error:
        return error.code
    return grpc.StatusCode.OK


def expected(accepted: bool) -> grpc.StatusCode:
    return grpc.StatusCode.OK if accepted else grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001])
def test_messages_of_a_request(count: int) -> None:
    messages = [types.PubsubMessage(data=b"x")] * count
    assert status_of(*messages) == expected(1 <= count <= 1000)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_bytes_of_a_request(extra: int) -> None:
    half = types.PubsubMessage(data=b"x" * 5_000_000)
    two = types.PublishRequest(topic=TOPIC, messages=[half, half])
    over = types.PublishRequest.pb(two).ByteSize() - MAX_PUBLISH_BYTES
    other = types.PubsubMessage(data=b"x" * (5_000_000 - over + extra))
    assert status_of(half, other) == expected(extra <= 0)


@pytest.mark.parametrize("count", [99, 100, 101])
def test_attributes_of_a_message(count: int) -> None:
    message = types.PubsubMessage(attributes={f"k{n}": "v" for n in range(count)})
    assert status_of(message) == expected(count <= 100)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257])
def test_bytes_of_an_attribute_key(size: int) -> None:
    message = types.PubsubMessage(attributes={"k" * size: "v"})
    assert status_of(message) == expected(1 <= size <= 256)


@pytest.mark.parametrize("size", [0, 1023, 1024, 1025])
def test_bytes_of_an_attribute_value(size: int) -> None:
    message = types.PubsubMessage(attributes={"k": "v" * size})
    assert status_of(message) == expected(size <= 1024)


def test_attribute_sizes_are_bytes_not_characters() -> None:
    assert status_of(types.PubsubMessage(attributes={"k": "é" * 512})) == expected(True)
    assert status_of(types.PubsubMessage(attributes={"k": "é" * 513})) == expected(False)


def test_an_attribute_key_must_not_begin_with_goog() -> None:
    assert status_of(types.PubsubMessage(attributes={"google": "v"})) == expected(False)
    assert status_of(types.PubsubMessage(attributes={"a-goog": "v"})) == expected(True)


@pytest.mark.parametrize("size", [1023, 1024, 1025])
def test_bytes_of_an_ordering_key(size: int) -> None:
    message = types.PubsubMessage(data=b"x", ordering_key="k" * size)
    assert status_of(message) == expected(size <= 1024)


def test_one_request_has_one_ordering_key() -> None:
    a, b = (types.PubsubMessage(data=b"x", ordering_key=key) for key in "ab")
    assert status_of(a, a) == expected(True)
    assert status_of(a, b) == expected(False)
    assert status_of(a, types.PubsubMessage(data=b"x")) == expected(False)


def catalog(max_bytes: int = 1 << 20) -> Catalog:
    made = Catalog(max_bytes, Counts())
    made.create_topic(types.Topic.pb(types.Topic(name=TOPIC)))
    return made


def subscribe(to: Catalog, **spec: object) -> str:
    asked = types.Subscription(name=SUBSCRIPTION, topic=TOPIC, **spec)
    to.create_subscription(types.Subscription.pb(asked))
    return SUBSCRIPTION


@pytest.mark.parametrize(("secs", "accepted"), [(9, False), (10, True), (600, True), (601, False)])
def test_an_ack_deadline_is_10_to_600_seconds(secs: int, accepted: bool) -> None:
    if accepted:
        subscribe(catalog(), ack_deadline_seconds=secs)
        return
    with pytest.raises(PubsubError, match="10 to 600"):
        subscribe(catalog(), ack_deadline_seconds=secs)


@pytest.mark.parametrize(
    "spec",
    [
        {"enable_message_ordering": True},
        {"enable_exactly_once_delivery": True},
        {"push_config": {"push_endpoint": "http://127.0.0.1"}},
        {"bigquery_config": {"table": "p.d.t"}},
        {"cloud_storage_config": {"bucket": "b"}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_what_the_sandbox_has_not_is_refused_by_name(spec: dict[str, object]) -> None:
    with pytest.raises(PubsubError, match=next(iter(spec))) as raised:
        subscribe(catalog(), **spec)
    assert raised.value.code is grpc.StatusCode.UNIMPLEMENTED


def publish(to: Catalog, size: int) -> None:
    message = types.PubsubMessage(data=b"x" * size)
    request = types.PublishRequest(topic=TOPIC, messages=[message])
    to.publish(types.PublishRequest.pb(request))


def test_held_messages_are_bounded_and_an_ack_makes_room() -> None:
    bounded = catalog(max_bytes=25_000)
    subscription = bounded.subscription(subscribe(bounded))
    publish(bounded, 10_000)
    publish(bounded, 10_000)
    with pytest.raises(PubsubError, match="--pubsub-max-bytes") as raised:
        publish(bounded, 10_000)
    assert raised.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    (lease,) = subscription.take(0.0, 1, 1 << 20, 10)
    subscription.acknowledge([lease.ack_id])
    publish(bounded, 10_000)
    bounded.delete_subscription(SUBSCRIPTION)
    assert bounded.held_bytes == 0


def test_a_message_that_nobody_subscribed_to_is_not_held() -> None:
    lonely = catalog()
    publish(lonely, 1000)
    subscribe(lonely, filter='attributes.k = "v"')
    publish(lonely, 1000)
    assert lonely.held_bytes == 0


def test_a_message_is_held_until_its_last_subscription_is_done() -> None:
    shared = catalog()
    subscribe(shared)
    spec = types.Subscription(name=SUBSCRIPTION + "2", topic=TOPIC)
    shared.create_subscription(types.Subscription.pb(spec))
    publish(shared, 1000)
    for name in (SUBSCRIPTION, SUBSCRIPTION + "2"):
        assert shared.held_bytes > 0
        (lease,) = shared.subscription(name).take(0.0, 1, 1 << 20, 10)
        shared.subscription(name).acknowledge([lease.ack_id])
    assert shared.held_bytes == 0
