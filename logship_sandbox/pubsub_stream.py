"""Pull and StreamingPull: the two ways to be given messages.

A stream is a reader (acks and deadlines) and a writer (leases), ended together: by the client, by
the deletion of the subscription or by a fault. Whatever ends it, its leases go back at once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import grpc
from google.pubsub_v1 import types

from logship_sandbox.pubsub_messages import PubsubError, PubsubMessage, invalid
from logship_sandbox.pubsub_outlet import Outlet
from logship_sandbox.pubsub_subscription import Consumer, Lease, Policy

PULL_WAIT_SECS = 10.0  # then an empty answer, as Pub/Sub gives
MAX_STREAM_MESSAGES = 1000


class _ReceivedMessage(Protocol):
    ack_id: str
    delivery_attempt: int

    @property
    def message(self) -> PubsubMessage: ...


class _ReceivedMessages(Protocol):
    def add(self) -> _ReceivedMessage: ...


class PullRequest(Protocol):
    """google.pubsub.v1.PullRequest."""

    subscription: str
    return_immediately: bool
    max_messages: int

    def ByteSize(self) -> int: ...


class PullResponse(Protocol):
    """google.pubsub.v1.PullResponse, and StreamingPullResponse as far as it is used."""

    @property
    def received_messages(self) -> _ReceivedMessages: ...


class StreamRequest(Protocol):
    """google.pubsub.v1.StreamingPullRequest."""

    subscription: str
    ack_ids: Sequence[str]
    modify_deadline_seconds: Sequence[int]
    modify_deadline_ack_ids: Sequence[str]
    stream_ack_deadline_seconds: int
    max_outstanding_messages: int
    max_outstanding_bytes: int

    def ByteSize(self) -> int: ...


async def pull(
    request: PullRequest, outlet: Outlet, policy: Policy, client_secs: float | None
) -> PullResponse:
    """One unary Pull: what is there, or what comes while the client waits (PULL_WAIT_SECS at
    most). Its answer is sent before the client gives up, or the leases would be lost on it."""
    if request.max_messages < 1:
        raise invalid(f"max_messages is {request.max_messages}: it must be positive")
    loop = asyncio.get_running_loop()
    patience = PULL_WAIT_SECS if client_secs is None else min(PULL_WAIT_SECS, 0.7 * client_secs)
    until = loop.time() + (0 if request.return_immediately else patience)
    timer = loop.call_at(until, outlet.ring)
    tries = iter((False,))  # the first look is always taken
    try:
        leases = await outlet.take(
            lambda: request.max_messages,
            lambda: policy.ack_deadline_secs,
            lambda: next(tries, loop.time() >= until),
        )
    finally:
        timer.cancel()
    response: PullResponse = types.PullResponse.pb()()
    fill(response, leases, policy)
    return response


def fill(response: PullResponse, leases: Sequence[Lease], policy: Policy) -> None:
    """Leases as the client gets them; attempts are told only where dead letters are (proto)."""
    for lease in leases:
        received = response.received_messages.add()
        received.ack_id = lease.ack_id
        received.message.CopyFrom(lease.entry.message.message)
        if policy.max_attempts:
            received.delivery_attempt = lease.entry.attempts


class Stream:
    """One StreamingPull from its first request on."""

    def __init__(
        self, first: StreamRequest, outlet: Outlet, policy: Policy, stopped: Callable[[], bool]
    ) -> None:
        self._outlet = outlet
        self._policy = policy
        self._stopped = stopped
        self._consumer = Consumer()
        self._max_messages = first.max_outstanding_messages
        self._max_bytes = first.max_outstanding_bytes
        self._deadline_secs = 0
        self._closed = False
        self._failure: PubsubError | None = None
        self._apply(first, first=True)

    def _apply(self, request: StreamRequest, *, first: bool = False) -> None:
        seconds = request.stream_ack_deadline_seconds
        if (first or seconds) and not 10 <= seconds <= 600:
            raise invalid(f"stream_ack_deadline_seconds is {seconds}: 10 to 600 may be")
        if request.subscription and not first:
            raise invalid("subscription may be set in the first request of a stream only")
        deadlines = request.modify_deadline_seconds
        if len(deadlines) != len(request.modify_deadline_ack_ids):
            raise invalid("modify_deadline_seconds and modify_deadline_ack_ids differ in length")
        self._deadline_secs = seconds or self._deadline_secs
        self._outlet.acknowledge(request.ack_ids)
        for ack_id, secs in zip(request.modify_deadline_ack_ids, deadlines, strict=True):
            check_deadline(secs)
            self._outlet.modify([ack_id], secs)

    async def run(self, requests: AsyncIterator[StreamRequest], write: "Writer") -> None:
        """Until one side ends it; PubsubError is the status the client gets."""
        reader = asyncio.create_task(self._read(requests))
        try:
            while leases := await self._outlet.take(
                self._room, lambda: self._deadline_secs, self._ended, self._consumer
            ):
                response: PullResponse = types.StreamingPullResponse.pb()()
                fill(response, leases, self._policy)
                await write(response)
        finally:
            reader.cancel()
            self._outlet.end_consumer(self._consumer)
        if self._failure is not None:
            raise self._failure
        if self._stopped():
            raise PubsubError(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        if self._outlet.closed:
            raise PubsubError(grpc.StatusCode.NOT_FOUND, "The subscription was deleted")

    async def _read(self, requests: AsyncIterator[StreamRequest]) -> None:
        try:
            async for request in requests:
                self._apply(request)
        except PubsubError as failure:
            self._failure = failure
        finally:
            self._closed = True
            self._outlet.ring()

    def _ended(self) -> bool:
        return self._closed or self._stopped()

    def _room(self) -> int:
        """How many messages the client's flow control lets it have now."""
        if 0 < self._max_bytes <= self._consumer.bytes:
            return 0
        if self._max_messages <= 0:
            return MAX_STREAM_MESSAGES
        return min(MAX_STREAM_MESSAGES, self._max_messages - self._consumer.messages)


class Writer(Protocol):
    """Sends one response to the client."""

    async def __call__(self, message: object, /) -> None: ...


def check_deadline(seconds: int) -> None:
    """What ModifyAckDeadline takes."""
    if not 0 <= seconds <= 600:
        raise invalid(f"an ack deadline of {seconds} s: 0 to 600 may be")
