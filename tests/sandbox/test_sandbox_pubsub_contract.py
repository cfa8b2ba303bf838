"""What Pub/Sub does, run over the sandbox and over Google's own emulator alike.

Google's generated clients over raw channels; unary Pull only, because the emulator's StreamingPull
is broken once a stream was cancelled. Where the emulator is laxer than the documented service (it
checks few limits and no filter), the sandbox has tests of its own.
"""

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

TIMEOUT_SECS = 10.0


@dataclass(frozen=True)
class Service:
    """Both clients, and a project of this test's own."""

    publisher: PublisherClient
    subscriber: SubscriberClient
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


@pytest.fixture
def service(pubsub_address: str) -> Iterator[Service]:
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(pubsub_address, options=options) as channel:
        yield Service(
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
            f"projects/p-{uuid.uuid4().hex[:12]}",
        )


@pytest.fixture
def ready(service: Service) -> Service:
    """With a topic and a subscription."""
    service.create_topic()
    service.subscribe()
    return service


def data_of(received: list[types.ReceivedMessage]) -> list[bytes]:
    return sorted(r.message.data for r in received)


def test_a_topic_lives_from_create_to_delete(service: Service) -> None:
    name = service.topic_name()
    assert service.create_topic().name == name
    assert service.publisher.get_topic(topic=name).name == name
    with pytest.raises(exceptions.AlreadyExists):
        service.create_topic()
    service.publisher.delete_topic(topic=name)
    for call in (service.publisher.get_topic, service.publisher.delete_topic):
        with pytest.raises(exceptions.NotFound):
            call(topic=name)


def test_a_subscription_lives_from_create_to_delete(service: Service) -> None:
    service.create_topic()
    created = service.subscribe(ack_deadline_seconds=20)
    assert (created.topic, created.ack_deadline_seconds) == (service.topic_name(), 20)
    name = service.name()
    assert service.subscriber.get_subscription(subscription=name) == created
    with pytest.raises(exceptions.AlreadyExists):
        service.subscribe()
    service.subscriber.delete_subscription(subscription=name)
    for call in (service.subscriber.get_subscription, service.subscriber.delete_subscription):
        with pytest.raises(exceptions.NotFound):
            call(subscription=name)


def test_a_subscription_gets_10_seconds_unless_it_asks(service: Service) -> None:
    service.create_topic()
    assert service.subscribe().ack_deadline_seconds == 10


@pytest.mark.parametrize(("secs", "accepted"), [(10, True), (599, True), (600, True), (601, False)])
def test_an_ack_deadline_is_at_most_600_seconds(
    service: Service, secs: int, accepted: bool
) -> None:
    service.create_topic()
    if accepted:
        assert service.subscribe(ack_deadline_seconds=secs).ack_deadline_seconds == secs
        return
    with pytest.raises(exceptions.InvalidArgument):
        service.subscribe(ack_deadline_seconds=secs)


def test_a_subscription_needs_its_topic(service: Service) -> None:
    with pytest.raises(exceptions.NotFound):
        service.subscribe()


def test_a_subscription_outlives_its_topic(ready: Service) -> None:
    ready.publish_data(b"kept")
    ready.publisher.delete_topic(topic=ready.topic_name())
    kept = ready.subscriber.get_subscription(subscription=ready.name())
    assert kept.topic == "_deleted-topic_"
    assert data_of(ready.pull()) == [b"kept"]


@pytest.mark.parametrize(
    ("topic", "accepted"),
    [("ab", False), ("abc", True), ("a" * 254, True), ("a" * 255, True), ("a" * 256, False),
     ("1abc", False), ("googx", False), ("a b", False), ("a-_.~+%B9", True), ("a/b", False)],
)  # fmt: skip
def test_names_are_checked(service: Service, topic: str, accepted: bool) -> None:
    if accepted:
        assert service.create_topic(topic).name.endswith(topic)
        return
    with pytest.raises(exceptions.InvalidArgument):
        service.create_topic(topic)


def test_lists_come_in_pages_and_show_one_project(ready: Service) -> None:
    for number in range(5):
        ready.create_topic(f"topic{number}")
        ready.subscribe(f"sub{number}")
    topics = ready.publisher.list_topics(request={"project": ready.project, "page_size": 2})
    assert {t.name for t in topics} == {ready.topic_name(t) for t in topic_names()}
    subscriptions = ready.subscriber.list_subscriptions(
        request={"project": ready.project, "page_size": 2}
    )
    expected = {ready.name(), *(ready.name(f"sub{n}") for n in range(5))}
    assert {s.name for s in subscriptions} == expected
    listed = ready.publisher.list_topic_subscriptions(
        request={"topic": ready.topic_name(), "page_size": 4}
    )
    assert set(listed) == expected


def topic_names() -> set[str]:
    return {"topic", *(f"topic{n}" for n in range(5))}


def test_a_message_arrives_as_it_was_published(ready: Service) -> None:
    before = time.time()
    message = types.PubsubMessage(data=bytes(range(256)), attributes={"k": "v", "é": ""})
    (message_id,) = ready.publish(message)
    (received,) = ready.pull()
    assert received.message.data == message.data
    assert dict(received.message.attributes) == {"k": "v", "é": ""}
    assert received.message.message_id == message_id
    assert abs(received.message.publish_time.timestamp() - before) < 60
    assert received.delivery_attempt == 0


def test_ids_are_unique_and_in_the_order_of_the_request(ready: Service) -> None:
    data = [b"%d" % n for n in range(50)]
    ids = ready.publish_data(*data)
    assert len(set(ids)) == 50
    received = {r.message.message_id: r.message.data for r in ready.pull_all(50)}
    assert [received[i] for i in ids] == data


def test_a_publish_needs_its_topic(service: Service) -> None:
    with pytest.raises(exceptions.NotFound):
        service.publish_data(b"x")


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001])
def test_a_publish_has_1_to_1000_messages(ready: Service, count: int) -> None:
    if 1 <= count <= 1000:
        assert len(ready.publish_data(*[b"x"] * count)) == count
        return
    with pytest.raises(exceptions.InvalidArgument):
        ready.publish_data(*[b"x"] * count)


@pytest.mark.parametrize(
    ("message", "accepted"),
    [
        (types.PubsubMessage(), False),
        (types.PubsubMessage(ordering_key="k"), False),
        (types.PubsubMessage(data=b"x"), True),
        (types.PubsubMessage(attributes={"k": ""}), True),
    ],
    ids=["nothing", "ordering key", "data", "attribute"],
)
def test_an_empty_message_refuses_the_whole_publish(
    ready: Service, message: types.PubsubMessage, accepted: bool
) -> None:
    if accepted:
        assert len(ready.publish(types.PubsubMessage(data=b"x"), message)) == 2
        return
    with pytest.raises(exceptions.InvalidArgument):
        ready.publish(types.PubsubMessage(data=b"x"), message)
    assert not ready.pull(secs=1)


def test_the_largest_publish_is_accepted_and_pulled(ready: Service) -> None:
    ready.publish_data(b"x" * 9_999_900)
    (received,) = ready.pull()
    assert len(received.message.data) == 9_999_900


def test_a_message_published_before_the_subscription_is_not_delivered(service: Service) -> None:
    service.create_topic()
    service.publish_data(b"before")
    service.subscribe()
    service.publish_data(b"after")
    assert data_of(service.pull()) == [b"after"]


def test_every_subscription_gets_every_message(ready: Service) -> None:
    ready.subscribe("other")
    ready.publish_data(b"a", b"b")
    assert data_of(ready.pull_all(2)) == data_of(ready.pull_all(2, "other")) == [b"a", b"b"]


def test_an_acknowledged_message_does_not_come_again(ready: Service) -> None:
    ready.publish_data(b"x")
    (received,) = ready.pull()
    ready.modify(1, received.ack_id)
    ready.acknowledge(received.ack_id)
    assert not ready.pull(secs=2.5)


def test_a_leased_message_is_not_given_to_others(ready: Service) -> None:
    ready.publish_data(b"x")
    assert ready.pull()
    assert not ready.pull(secs=1)


def test_a_nack_brings_the_message_back_at_once(ready: Service) -> None:
    (message_id,) = ready.publish_data(b"x")
    (first,) = ready.pull()
    ready.modify(0, first.ack_id)
    (second,) = ready.pull()
    assert second.message.message_id == message_id and second.ack_id != first.ack_id


def test_a_message_comes_back_after_its_deadline_and_not_before(ready: Service) -> None:
    ready.publish_data(b"x")
    (first,) = ready.pull()
    ready.modify(1, first.ack_id)
    started = time.monotonic()
    (second,) = ready.pull()
    assert second.message == first.message
    assert 0.8 < time.monotonic() - started < 5


def test_a_deadline_can_be_extended(ready: Service) -> None:
    ready.publish_data(b"x")
    (received,) = ready.pull()
    ready.modify(1, received.ack_id)
    ready.modify(60, received.ack_id)
    assert not ready.pull(secs=2.5)
    ready.acknowledge(received.ack_id)


def test_an_ack_of_an_older_delivery_does_not_count(ready: Service) -> None:
    ready.publish_data(b"x")
    (first,) = ready.pull()
    ready.modify(0, first.ack_id)
    (second,) = ready.pull()
    ready.acknowledge(first.ack_id)
    ready.modify(0, second.ack_id)
    assert data_of(ready.pull()) == [b"x"]


def test_a_late_ack_counts_while_nobody_else_has_the_message(ready: Service) -> None:
    ready.publish_data(b"x")
    (received,) = ready.pull()
    ready.modify(1, received.ack_id)
    time.sleep(1.5)  # the deadline itself is what is waited for; nobody may ask meanwhile
    ready.acknowledge(received.ack_id)
    assert not ready.pull(secs=1)


def test_an_ack_twice_is_no_error(ready: Service) -> None:
    ready.publish_data(b"x")
    (received,) = ready.pull()
    ready.acknowledge(received.ack_id)
    ready.acknowledge(received.ack_id)


@pytest.mark.parametrize("ack_ids", [[], ["nonsense"]])
def test_ack_ids_must_be_some_and_well_formed(ready: Service, ack_ids: list[str]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        ready.acknowledge(*ack_ids)
    with pytest.raises(exceptions.InvalidArgument):
        ready.modify(10, *ack_ids)


@pytest.mark.parametrize(("secs", "accepted"), [(-1, False), (0, True), (600, True)])
def test_a_deadline_is_moved_to_0_seconds_or_more(
    ready: Service, secs: int, accepted: bool
) -> None:
    ready.publish_data(b"x")
    (received,) = ready.pull()
    if accepted:
        ready.modify(secs, received.ack_id)
        return
    with pytest.raises(exceptions.InvalidArgument):
        ready.modify(secs, received.ack_id)


def test_a_pull_gives_no_more_than_it_is_asked_for(ready: Service) -> None:
    ready.publish_data(*[b"x"] * 10)
    sizes = [len(ready.pull(most=4)) for _ in range(3)]
    assert sum(sizes) <= 10 and max(sizes) <= 4
    with pytest.raises(exceptions.InvalidArgument):
        ready.pull(most=0)


def test_a_pull_needs_its_subscription(service: Service) -> None:
    with pytest.raises(exceptions.NotFound):
        service.pull("nothing")
    with pytest.raises(exceptions.NotFound):
        service.acknowledge("x", subscription="nothing")


def test_a_pull_waits_for_a_message(ready: Service) -> None:
    future = ready.subscriber.transport.grpc_channel.unary_unary(
        "/google.pubsub.v1.Subscriber/Pull",
        request_serializer=types.PullRequest.serialize,
        response_deserializer=types.PullResponse.deserialize,
    ).future(types.PullRequest(subscription=ready.name(), max_messages=1), timeout=TIMEOUT_SECS)
    assert not future.done()
    ready.publish_data(b"x")
    assert data_of(list(future.result().received_messages)) == [b"x"]


def test_an_impatient_pull_returns_at_once(ready: Service) -> None:
    started = time.monotonic()
    request = {"subscription": ready.name(), "max_messages": 1, "return_immediately": True}
    with pytest.warns(DeprecationWarning):
        response = ready.subscriber.pull(request=request, timeout=TIMEOUT_SECS)
    assert not response.received_messages and time.monotonic() - started < 5


@pytest.mark.parametrize(("attempts", "kept"), [(4, 0), (5, 5), (100, 100), (101, 0), (0, 5)])
def test_a_dead_letter_policy_has_5_to_100_attempts(
    ready: Service, attempts: int, kept: int
) -> None:
    policy = {"dead_letter_topic": ready.topic_name(), "max_delivery_attempts": attempts}
    if kept:
        created = ready.subscribe("dead", dead_letter_policy=policy)
        assert created.dead_letter_policy.max_delivery_attempts == kept
        return
    with pytest.raises(exceptions.OutOfRange):
        ready.subscribe("dead", dead_letter_policy=policy)


def test_a_dead_letter_topic_must_exist(ready: Service) -> None:
    with pytest.raises(exceptions.NotFound):
        ready.subscribe("dead", dead_letter_policy={"dead_letter_topic": ready.topic_name("none")})


def test_a_message_that_is_never_acked_becomes_a_dead_letter(service: Service) -> None:
    service.create_topic()
    service.create_topic("graves")
    service.subscribe(dead_letter_policy={"dead_letter_topic": service.topic_name("graves")})
    service.subscribe("graves", topic=service.topic_name("graves"))
    service.publish(types.PubsubMessage(data=b"poison", attributes={"k": "v"}))
    attempts = []
    for _ in range(5):
        (received,) = service.pull()
        attempts.append(received.delivery_attempt)
        service.modify(0, received.ack_id)
    assert attempts == [1, 2, 3, 4, 5]
    assert not service.pull(secs=1)  # this is when the emulator buries it
    (buried,) = service.pull("graves")
    assert (buried.message.data, buried.message.attributes["k"]) == (b"poison", "v")


def test_a_thousand_messages_all_come_once_when_they_are_acked(ready: Service) -> None:
    for start in range(0, 1000, 100):
        ready.publish_data(*(b"%d" % n for n in range(start, start + 100)))
    seen: list[bytes] = []
    while len(seen) < 1000:
        received = ready.pull(most=300)
        seen += data_of(received)
        ready.acknowledge(*(r.ack_id for r in received))
    assert len(set(seen)) == len(seen) == 1000
