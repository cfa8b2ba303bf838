"""The Pub/Sub contract: topics, subscriptions, and what a publish must be.

Run over the sandbox and over Google's own emulator alike, with Google's generated clients; unary
Pull only, because the emulator's StreamingPull is broken once a stream was cancelled. Where the
emulator is laxer than the documented service (it checks few limits and no filter), the sandbox has
tests of its own.
"""

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from tests.sandbox.pubsub_service import Service, data_of


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
