"""The Pub/Sub contract: what is delivered, when, and how often.

Run over the sandbox and over Google's own emulator alike, with Google's generated clients; unary
Pull only, because the emulator's StreamingPull is broken once a stream was cancelled. Where the
emulator is laxer than the documented service (it checks few limits and no filter), the sandbox has
tests of its own.
"""

import time

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import types

from tests.sandbox.pubsub_service import TIMEOUT_SECS, Service, data_of


def test_a_message_arrives_as_it_was_published(ready: Service) -> None:
    before = time.time()
    message = types.PubsubMessage(data=bytes(range(256)), attributes={"k": "v", "é": ""})
    (message_id,) = ready.publish(message)
    (received,) = ready.pull()
    assert received.message.data == message.data
    assert dict(received.message.attributes) == {"k": "v", "é": ""}
    assert received.message.message_id == message_id
    published = types.PubsubMessage.pb(received.message).publish_time
    assert abs(published.ToSeconds() - before) < 60
    assert received.delivery_attempt == 0


def test_ids_are_unique_and_in_the_order_of_the_request(ready: Service) -> None:
    data = [b"%d" % n for n in range(50)]
    ids = ready.publish_data(*data)
    assert len(set(ids)) == 50
    received = {r.message.message_id: r.message.data for r in ready.pull_all(50)}
    assert [received[i] for i in ids] == data


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
    assert second.message.message_id == message_id
    assert second.ack_id != first.ack_id


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
    assert sum(sizes) <= 10
    assert max(sizes) <= 4
    with pytest.raises(exceptions.InvalidArgument):
        ready.pull(most=0)


def test_a_pull_needs_its_subscription(service: Service) -> None:
    with pytest.raises(exceptions.NotFound):
        service.pull("nothing")
    with pytest.raises(exceptions.NotFound):
        service.acknowledge("x", subscription="nothing")


def test_a_pull_waits_for_a_message(ready: Service) -> None:
    future = ready.channel.unary_unary(
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
    assert not response.received_messages
    assert time.monotonic() - started < 5


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
