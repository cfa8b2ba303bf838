"""Publish calls, and the search for messages that Pub/Sub refuses.

A refused request (INVALID_ARGUMENT: nothing of it was published) is halved until the guilty message
is alone; a refused block is halved by its rows. At most MAX_REQUESTS are sent for it in one write;
what is left comes again. Everything but INVALID_ARGUMENT comes again too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import grpc
import grpc.aio

from logship.api import Retry
from logship_gcp.appeals import Appeals
from logship_gcp.pubsub import channel, outgoing, wire
from logship_gcp.pubsub.outgoing import MAX_REQUEST_BYTES, Failed, Outgoing

MAX_REQUESTS = 256
MAX_SUSPECTS = 8
"""Refused alone, while nothing at all is taken: then it is not the messages."""
_METHOD = "/google.pubsub.v1.Publisher/Publish"

Divide = Callable[[Outgoing], Awaitable[Sequence[Outgoing]]]
"""A block in two by its rows; one message without content: its one row."""


class Refused(Exception):
    """INVALID_ARGUMENT."""


class Topic:
    def __init__(
        self, link: channel.Link, name: str, turns: asyncio.Semaphore, timeout_secs: float
    ) -> None:
        self.name = name
        self._link, self._turns, self._timeout_secs = link, turns, timeout_secs
        self._start = wire.publish_start(name)
        self._call = link.channel.unary_unary(_METHOD, None, None)

    @property
    def room(self) -> int:
        """Bytes of messages that a request may have."""
        return MAX_REQUEST_BYTES - len(self._start)

    async def publish(self, messages: Sequence[Outgoing], appeals: Appeals) -> None:
        """Raises Retry, Refused."""
        body = b"".join((self._start, *(message.encoded for message in messages)))
        async with self._turns:
            metadata = await self._link.metadata("topic", self.name)
            try:
                await self._call(body, timeout=self._timeout_secs, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                self._link.failed(error)
                if error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                    raise Refused(error.details() or "INVALID_ARGUMENT") from error
                retry = channel.retry_of(error, f"publish to {self.name}", self._advice(error))
                if error.code() not in channel.PASSING:
                    appeals.make(retry.reason)
                raise retry from error

    def _advice(self, error: grpc.aio.AioRpcError) -> str:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return f"create the topic: gcloud pubsub topics create {self.name}"
        return (
            "grant roles/pubsub.publisher on the topic to the service account that the pod "
            "runs as (Workload Identity), or to the one of GOOGLE_APPLICATION_CREDENTIALS"
        )


class Search:
    """The requests of one write."""

    def __init__(
        self, topic: Topic, divide: Divide, max_message_bytes: int, appeals: Appeals
    ) -> None:
        self._topic, self._divide, self._appeals = topic, divide, appeals
        self._max_message_bytes = max_message_bytes
        self._left = MAX_REQUESTS
        self.took = False
        """Whether anything was published."""
        self._suspects = 0

    async def publish(self, messages: Sequence[Outgoing]) -> list[Failed]:
        """What of these messages was not published."""
        size = len(messages[0].encoded)
        if _count(messages) == 1 and size > self._max_message_bytes:
            reason = f"{size} bytes; {self._max_message_bytes} are allowed"
            return await self._smaller(messages[0], reason, suspect=False)
        try:
            await self._topic.publish(messages, self._appeals)
        except Retry as retry:
            return [Failed(message, retry.reason, retry) for message in messages]
        except Refused as refused:
            return await self._search(messages, str(refused))
        self.took = True
        return []

    async def _search(self, messages: Sequence[Outgoing], reason: str) -> list[Failed]:
        self._left -= 2
        if self._left < 0 or (self._suspects >= MAX_SUSPECTS and not self.took):
            retry = Retry(f"publish to {self._topic.name}: many messages are refused: {reason}")
            return [Failed(message, reason, retry, suspect=True) for message in messages]
        if _count(messages) == 1:
            return await self._smaller(messages[0], reason, suspect=True)
        first, second = outgoing.split(messages)
        return await self.publish(first) + await self.publish(second)

    async def _smaller(self, message: Outgoing, reason: str, *, suspect: bool) -> list[Failed]:
        """A message that is refused for good, unless it is a block that can be halved."""
        divided = await self._divide(message)
        if len(divided) == 1:
            self._suspects += suspect
            return [Failed(divided[0], reason, suspect=suspect)]
        failed: list[Failed] = []
        for half in divided:
            failed += await self.publish([half])
        return failed


def _count(messages: Iterable[Outgoing]) -> int:
    return sum(message.count for message in messages)
