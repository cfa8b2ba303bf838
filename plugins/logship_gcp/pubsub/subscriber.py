"""The calls of a subscriber, over a channel of our own: they raise AioRpcError, and Retry.

Google's subscriber client costs 34 us a message, and its channel refuses answers of more than 4 MB
without a word; here a response is parsed by Google's classes and nothing else of them is used.
https://cloud.google.com/pubsub/docs/reference/rpc/google.pubsub.v1
"""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import grpc.aio
from google.pubsub_v1 import types

from logship_gcp.pubsub.channel import Link
from logship_gcp.pubsub.incoming import Received

MAX_IDS = 1000
"""Of one request: an id has some 200 bytes, a request at most 512 KiB."""
_SERVICE = "/google.pubsub.v1.Subscriber/"

# Generated at run time by protobuf: there are no types to give them.
_PULL: Any = types.PullRequest.pb()
_EOF: Any = grpc.aio.EOF  # type: ignore[attr-defined]
_PULLED: Any = types.PullResponse.pb()
_STREAM: Any = types.StreamingPullRequest.pb()
_STREAMED: Any = types.StreamingPullResponse.pb()
_ACK: Any = types.AcknowledgeRequest.pb()
_MODIFY: Any = types.ModifyAckDeadlineRequest.pb()


@dataclass(frozen=True, slots=True)
class Leased:
    ack_id: str
    message: Received


class Subscriber:
    def __init__(self, link: Link, subscription: str, timeout_secs: float) -> None:
        self.link = link
        self.name = subscription
        self._timeout = timeout_secs
        unary = link.channel.unary_unary
        self._pull = unary(_SERVICE + "Pull", _PULL.SerializeToString, _PULLED.FromString)
        self._ack = unary(_SERVICE + "Acknowledge", _ACK.SerializeToString, bytes)
        self._modify = unary(_SERVICE + "ModifyAckDeadline", _MODIFY.SerializeToString, bytes)
        self._stream = link.channel.stream_stream(
            _SERVICE + "StreamingPull", _STREAM.SerializeToString, _STREAMED.FromString
        )

    async def _metadata(self) -> tuple[tuple[str, str], ...]:
        return await self.link.metadata("subscription", self.name)

    async def pull(self, max_messages: int) -> list[Leased]:
        """Waits for at least one message, until the call's timeout (DEADLINE_EXCEEDED)."""
        request = _PULL(subscription=self.name, max_messages=max_messages)
        response = await self._pull(request, timeout=self._timeout, metadata=await self._metadata())
        return _leased(response)

    async def stream(self, lease_secs: int, max_bytes: int) -> "Stream":
        """Messages as they come, at most `max_bytes` that are not acknowledged."""
        call = self._stream(None, metadata=await self._metadata())
        request = _STREAM(
            subscription=self.name,
            stream_ack_deadline_seconds=lease_secs,
            max_outstanding_bytes=max_bytes,
            client_id=str(uuid.uuid4()),
        )
        await call.write(request)
        return Stream(call)

    async def acknowledge(self, ack_ids: Sequence[str]) -> None:
        request = _ACK(subscription=self.name, ack_ids=ack_ids)
        await self._ack(request, timeout=self._timeout, metadata=await self._metadata())

    async def extend(self, ack_ids: Sequence[str], secs: int) -> None:
        """The leases run for `secs` from now; 0 gives the messages back."""
        request = _MODIFY(subscription=self.name, ack_ids=ack_ids, ack_deadline_seconds=secs)
        await self._modify(request, timeout=self._timeout, metadata=await self._metadata())


class Stream:
    """An open StreamingPull. When it is closed the server takes its leases back, so that whoever
    stops reading keeps it until what was read is acknowledged.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._reading: asyncio.Future[Any] | None = None

    async def next(self) -> list[Leased] | None:
        """None when the server ended the stream. Cancelling it leaves the stream as it is."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
        await asyncio.wait([self._reading])
        reading, self._reading = self._reading, None
        response = reading.result()
        return None if response is _EOF else _leased(response)

    async def close(self) -> None:
        self._call.cancel()
        if self._reading is not None:
            await asyncio.wait([self._reading])


def _leased(response: object) -> list[Leased]:
    return [
        Leased(
            found.ack_id,
            Received(
                found.message.message_id,
                found.message.publish_time.ToNanoseconds(),
                found.message.data,
                dict(found.message.attributes),
            ),
        )
        for found in cast(Any, response).received_messages
    ]
