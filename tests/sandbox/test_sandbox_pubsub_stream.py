"""StreamingPull: leases, flow control, and what ends a stream."""

import asyncio
from collections.abc import Callable

import grpc
import pytest

from logship_sandbox.server import Sandbox
from tests.sandbox.pubsub_pulling import NAME, Client, Test, data_of

SOON_SECS = 0.2  # long enough for a message that is going to come


def test_a_stream_gets_what_is_there_and_what_comes(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a", b"b")
        stream = await client.stream()
        first = await stream.read()
        assert data_of(first) == [b"a", b"b"]
        await client.publish(b"c")
        assert data_of(await stream.read()) == [b"c"]
        await stream.send(ack_ids=[r.ack_id for r in first])
        await stream.call.done_writing()
        assert await stream.status() is grpc.StatusCode.OK
        assert await client.pull() == [b"c"]

    with_pubsub(test)


def test_a_nack_and_a_passed_deadline_bring_a_message_back(
    with_pubsub: Callable[[Test], None],
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a")
        stream = await client.stream()
        for secs in (0, 1):
            (received,) = await stream.read()
            ack_id = received.ack_id
            await stream.send(modify_deadline_ack_ids=[ack_id], modify_deadline_seconds=[secs])
        assert data_of(await stream.read()) == [b"a"]

    with_pubsub(test)


def test_a_cancelled_streams_messages_go_to_the_next_at_once(
    with_pubsub: Callable[[Test], None],
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a")
        dead = await client.stream(stream_ack_deadline_seconds=600)
        await dead.read()
        dead.call.cancel()
        living = await client.stream()
        assert data_of(await living.read()) == [b"a"]

    with_pubsub(test)


def test_nothing_is_leased_to_a_stream_that_died_while_it_waited(
    with_pubsub: Callable[[Test], None],
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        for _ in range(5):
            dead = await client.stream(stream_ack_deadline_seconds=600)
            with pytest.raises(TimeoutError):  # which cancels the call
                await dead.read(0.05)
        living = await client.stream()
        await client.publish(b"a")
        assert data_of(await living.read()) == [b"a"]

    with_pubsub(test)


def test_responses_stay_below_grpcs_4_mb(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        for _ in range(3):
            await client.publish(*[b"x" * 1_000_000] * 4)
        stream = await client.stream()
        sizes: list[int] = []
        while sum(sizes) < 12:
            sizes.append(len(await stream.read()))
        assert max(sizes) <= 3

    with_pubsub(test)


@pytest.mark.parametrize(
    "limit", [{"max_outstanding_messages": 2}, {"max_outstanding_bytes": 10_000}]
)
def test_flow_control_holds_messages_back_until_an_ack(
    with_pubsub: Callable[[Test], None], limit: dict[str, int]
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        stream = await client.stream(**limit)
        for number in range(2):
            await client.publish(b"%d" % number * 8000)
        held = [*await stream.read(), *await stream.read()]
        await client.publish(b"last")
        subscription = sandbox.pubsub.catalog.subscription(NAME)
        assert len(held) == 2
        assert len(subscription) == 3
        reading = asyncio.create_task(stream.read())
        await asyncio.wait([reading], timeout=SOON_SECS)
        assert not reading.done()
        await stream.send(ack_ids=[held[0].ack_id])
        assert data_of(await reading) == [b"last"]

    with_pubsub(test)


def test_two_streams_share_the_messages(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        streams = [await client.stream(max_outstanding_messages=5) for _ in range(2)]
        await client.publish(*(b"%d" % n for n in range(10)))
        taken = [data_of(await stream.read()) for stream in streams]
        assert sorted(taken[0] + taken[1]) == [b"%d" % n for n in range(10)]

    with_pubsub(test)


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"subscription": "projects/proj/subscriptions/none"}, grpc.StatusCode.NOT_FOUND),
        ({"stream_ack_deadline_seconds": 9}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"stream_ack_deadline_seconds": 601}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"modify_deadline_seconds": [1]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
    ids=str,
)
def test_a_wrong_first_request_ends_the_stream(
    with_pubsub: Callable[[Test], None], first: dict[str, object], code: grpc.StatusCode
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        assert await (await client.stream(**first)).status() is code

    with_pubsub(test)


@pytest.mark.parametrize(
    "later",
    [
        {"subscription": NAME},
        {"stream_ack_deadline_seconds": 5},
        {"ack_ids": ["nonsense"]},
        {"modify_deadline_ack_ids": [f"{NAME}:1"], "modify_deadline_seconds": [601]},
    ],
    ids=str,
)
def test_a_wrong_later_request_ends_the_stream(
    with_pubsub: Callable[[Test], None], later: dict[str, object]
) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        stream = await client.stream()
        await stream.send(**later)
        assert await stream.status() is grpc.StatusCode.INVALID_ARGUMENT

    with_pubsub(test)


def test_deleting_the_subscription_ends_its_streams(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a")
        stream = await client.stream()
        await stream.read()
        await client.delete()
        assert await stream.status() is grpc.StatusCode.NOT_FOUND

    with_pubsub(test)


def test_closing_the_sandbox_ends_its_streams(with_pubsub: Callable[[Test], None]) -> None:
    async def test(sandbox: Sandbox, client: Client) -> None:
        await client.publish(b"a")
        stream = await client.stream()
        await stream.read()
        await sandbox.close()
        assert await stream.status() is grpc.StatusCode.UNAVAILABLE

    with_pubsub(test)
