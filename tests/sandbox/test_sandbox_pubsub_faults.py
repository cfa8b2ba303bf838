"""Faults on request in Pub/Sub, and its counts."""

from collections.abc import Callable

import grpc
import pytest
from google.pubsub_v1 import types

from logship_sandbox.faults import Fault
from logship_sandbox.server import Sandbox
from tests.sandbox.pubsub_pulling import TOPIC, Client, Test, code_of


def test_a_full_stop_breaks_streams_and_calls_and_loses_nothing(
    with_pubsub: Callable[[Test], None],
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a")
        stream = await client.stream()
        await stream.read()
        sandbox.faults.set("pubsub", Fault(stop_secs=60))
        assert await stream.status() is grpc.StatusCode.UNAVAILABLE
        assert await code_of(client.publish(b"b")) is grpc.StatusCode.UNAVAILABLE
        assert await (await client.stream()).status() is grpc.StatusCode.UNAVAILABLE
        sandbox.faults.clear()
        assert await client.pull() == [b"a"]

    with_pubsub(test)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(share_429=1), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Fault(share_503=1), grpc.StatusCode.UNAVAILABLE),
        (Fault(share_dropped=1), grpc.StatusCode.UNAVAILABLE),
        (Fault(share_lost=1), grpc.StatusCode.UNAVAILABLE),
        (Fault(refuse=401), grpc.StatusCode.UNAUTHENTICATED),
        (Fault(refuse=403), grpc.StatusCode.PERMISSION_DENIED),
        (Fault(refuse=404), grpc.StatusCode.NOT_FOUND),
    ],
    ids=str,
)
def test_a_fault_is_a_status_and_only_a_lost_answer_publishes(
    with_pubsub: Callable[[Test], None], fault: Fault, code: grpc.StatusCode
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.set("pubsub", fault)
        assert await code_of(client.publish(b"a")) is code
        assert sum(sandbox.pubsub.counts.errors.values()) > 0
        sandbox.faults.clear()
        assert await client.pull() == ([b"a"] if fault.share_lost else [])

    with_pubsub(test)


def test_a_hung_call_ends_with_its_clients_patience(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        sandbox.faults.set("pubsub", Fault(share_hung=1))
        message = types.PubsubMessage(data=b"a")
        request = types.PublishRequest(topic=TOPIC, messages=[message])
        call = client.call("Publish", request, types.PublishResponse, secs=0.2)
        assert await code_of(call) is grpc.StatusCode.DEADLINE_EXCEEDED
        sandbox.faults.clear()
        assert await client.pull() == []

    with_pubsub(test)


def test_counts_tell_calls_messages_and_bytes(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        before = sandbox.pubsub.counts.requests
        await client.publish(b"a" * 1000, b"b" * 1000)
        counts = sandbox.pubsub.counts
        assert (counts.requests - before, counts.entries) == (1, 2)
        assert 2000 < counts.bytes < 2500

    with_pubsub(test)
