"""Keeps a subscription flowing: pulls while there is room, extends leases, acknowledges.

Each loop does one thing and survives every failure of a call: what could not be acknowledged or
extended in time comes again, which is safe. Messages are unpacked in a thread.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import grpc
import grpc.aio

from logship.api import Context, Retry
from logship_gcp.pubsub import channel, incoming
from logship_gcp.pubsub.leases import Leases
from logship_gcp.pubsub.subscriber import MAX_IDS, Leased, Stream, Subscriber

PULL_BYTES = 4 * 1024 * 1024
"""What a pull is expected to bring at most."""
_FIRST_MESSAGE_BYTES = 64 * 1024
_GATHER_SECS = 0.05
_MAX_WAIT_SECS = 30.0
_GOODBYE_SECS = 3.0
_ACK_TRIES = 5
_QUIET = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


@dataclass(frozen=True, slots=True)
class Limits:
    max_bytes: int
    lease_secs: int


class Consumer:
    def __init__(
        self, subscriber: Subscriber, leases: Leases, limits: Limits, context: Context
    ) -> None:
        self._subscriber, self._leases, self._limits = subscriber, leases, limits
        self._name = subscriber.name
        self._clock, self._offload = context.world.clock, context.world.offload
        self._log = context.log
        self._changed = asyncio.Event()
        leases.on_change = self._changed.set
        self._streams: set[Stream] = set()
        self._reserved = 0
        self._message_bytes = float(_FIRST_MESSAGE_BYTES)

    async def run(self, concurrency: int, *, streaming: bool) -> None:
        """Until cancelled."""
        read = self._stream if streaming else self._pull
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._acknowledge())
            self._tasks.create_task(self._extend())
            for _ in range(concurrency):
                self._tasks.create_task(self._again_and_again(read))

    async def end(self) -> None:
        """Acknowledge what is still being delivered, give the rest back, close the channel.

        Cancelling it cuts the waiting short, and nothing else.
        """
        with suppress(asyncio.CancelledError):
            while not self._leases.idle():
                await self._until(lambda: bool(self._leases.acks) or self._leases.idle())
                await self._flush()
        for _ in range(2):  # a second time if it is cancelled in the first
            with suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(_GOODBYE_SECS):
                    await self._flush()
                    await self._set_deadlines(self._leases.leased(), 0)
                    break
        for stream in self._streams:
            await stream.close()
        await self._subscriber.link.close()

    async def _again_and_again(self, read: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            await self._until(lambda: self._room() > 0)
            try:
                await read()
                failures = 0
            except grpc.aio.AioRpcError as error:
                self._subscriber.link.failed(error)
                if error.code() not in _QUIET:
                    failures += 1
                    advice = _advice(error, self._name)
                    retry = channel.retry_of(error, f"read {self._name}", advice)
                    await self._after_failure(retry, failures)
            except Retry as retry:
                failures += 1
                await self._after_failure(retry, failures)

    async def _after_failure(self, retry: Retry, failures: int) -> None:
        wait = min(_MAX_WAIT_SECS, 0.25 * 2**failures)
        wait = retry.after or wait * random.uniform(0.5, 1)  # noqa: S311 - jitter
        level = logging.WARNING if failures in (1, 5) else logging.DEBUG
        self._log.log(level, "%s; next try in %.1f s", retry.reason, wait)
        await self._clock.sleep(wait)

    async def _pull(self) -> None:
        reserved = min(PULL_BYTES, self._room())
        self._reserved += reserved
        try:
            count = max(1, min(MAX_IDS, int(reserved / self._message_bytes)))
            leased = await self._subscriber.pull(count)
        finally:
            self._reserved -= reserved
        await self._accept(leased)

    async def _stream(self) -> None:
        limits = self._limits
        stream = await self._subscriber.stream(limits.lease_secs, limits.max_bytes)
        self._streams.add(stream)
        try:
            while (leased := await stream.next()) is not None:
                await self._accept(leased)
                await self._until(lambda: self._room() > 0)
        except asyncio.CancelledError:
            raise  # it stays open until `end`
        except BaseException:
            self._streams.discard(stream)
            await stream.close()
            raise
        self._streams.discard(stream)

    async def _accept(self, leased: Sequence[Leased]) -> None:
        """Lease the messages, unpack them, offer them to the feeds."""
        taken = [
            (delivery, found)
            for found in leased
            if (delivery := self._leases.accept(
                found.message.message_id, found.ack_id, len(found.message.content)
            ))
        ]  # fmt: skip
        deliveries = [delivery for delivery, _ in taken]
        messages = [found.message for _, found in taken]
        self._tasks.create_task(
            self._set_deadlines([found.ack_id for found in leased], self._limits.lease_secs)
        )
        try:
            gathered = await self._offload.run(incoming.decode, messages, self._name)
        except BaseException:
            self._leases.forget(deliveries)
            raise
        self._leases.offer(gathered, deliveries)
        if deliveries:
            mean = sum(delivery.size for delivery in deliveries) / len(deliveries)
            self._message_bytes = max(1.0, (self._message_bytes + mean) / 2)

    def _room(self) -> int:
        """Bytes that may still be pulled; none as long as nobody reads."""
        if not self._leases.feeds:
            return 0
        return self._limits.max_bytes - self._leases.held_bytes - self._reserved

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _acknowledge(self) -> None:
        while True:
            await self._until(lambda: bool(self._leases.acks))
            await self._clock.sleep(_GATHER_SECS)
            await self._flush()

    async def _flush(self) -> None:
        """Acknowledge what is settled; an id that cannot be is a message that comes again."""
        while self._leases.acks:
            chunk = self._leases.acks[:MAX_IDS]
            await self._acknowledged(chunk)
            del self._leases.acks[: len(chunk)]

    async def _acknowledged(self, chunk: Sequence[str]) -> None:
        for attempt in range(1, _ACK_TRIES + 1):
            try:
                await self._subscriber.acknowledge(chunk)
                return
            except (grpc.aio.AioRpcError, Retry) as error:
                if attempt == _ACK_TRIES:
                    self._log.warning("%d messages will come again: %s", len(chunk), error)
                else:
                    await self._clock.sleep(0.2 * 2**attempt)

    async def _extend(self) -> None:
        while True:
            await self._clock.sleep(self._limits.lease_secs / 3)
            await self._set_deadlines(self._leases.leased(), self._limits.lease_secs)

    async def _set_deadlines(self, ack_ids: Sequence[str], secs: int) -> None:
        for chunk in _chunks(ack_ids):
            try:
                await self._subscriber.extend(chunk, secs)
            except (grpc.aio.AioRpcError, Retry) as error:
                # They are extended again in a while; one that ran out comes again.
                self._log.debug("extend %d leases: %s", len(chunk), error)


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + MAX_IDS] for start in range(0, len(ids), MAX_IDS)]


def _advice(error: grpc.aio.AioRpcError, name: str) -> str:
    if error.code() is grpc.StatusCode.NOT_FOUND:
        return f"create it: gcloud pubsub subscriptions create {name} --topic=TOPIC"
    return (
        "grant roles/pubsub.subscriber on the subscription to the service account that the pod "
        "runs as (Workload Identity), or to the one of GOOGLE_APPLICATION_CREDENTIALS"
    )
