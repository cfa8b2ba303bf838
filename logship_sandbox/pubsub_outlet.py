"""Where consumers of one subscription wait: the asyncio side of `pubsub_subscription`.

There is one timer, set to the subscription's next deadline, and one bell that wakes everybody who
waits. Taking leases and handing them on has no await in between, so that a consumer that died while
it waited never gets any: its task is cancelled at the wait.
"""

import asyncio
from collections.abc import Callable, Collection

from logship_sandbox.pubsub_messages import invalid
from logship_sandbox.pubsub_subscription import Consumer, Lease, Subscription

# A client without a receive limit of its own has gRPC's 4 MB (with PUBSUB_EMULATOR_HOST it has),
# and a larger response makes its stream hang silently.
MAX_RESPONSE_BYTES = 3_000_000


class Outlet:
    """Made and used in one event loop; its clock is the loop's."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._bell = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self.closed = False
        subscription.wake = self.ring

    def ring(self) -> None:
        """Everybody who waits looks again."""
        self._bell.set()
        self._bell = asyncio.Event()

    def close(self) -> None:
        """The subscription is gone."""
        self.closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.ring()

    async def take(
        self,
        max_messages: Callable[[], int],
        deadline_secs: Callable[[], float],
        ended: Callable[[], bool],
        consumer: Consumer | None = None,
    ) -> list[Lease]:
        """Wait for messages; nothing when `ended` says so first. It is asked after each ring."""
        loop = asyncio.get_running_loop()
        while not (self.closed or ended()):
            room = max_messages()
            if room > 0:
                leases = self._subscription.take(
                    loop.time(), room, MAX_RESPONSE_BYTES, deadline_secs(), consumer
                )
                self._set_timer()
                if leases:
                    return leases
            await self._bell.wait()
        return []

    def acknowledge(self, ack_ids: Collection[str]) -> None:
        """Acknowledge; an id that was never given out is refused."""
        self._check(ack_ids)
        self._subscription.acknowledge(ack_ids)

    def modify(self, ack_ids: Collection[str], deadline_secs: int) -> None:
        """ModifyAckDeadline."""
        self._check(ack_ids)
        now = asyncio.get_running_loop().time()
        self._subscription.modify(ack_ids, deadline_secs, now)
        self._set_timer()

    def end_consumer(self, consumer: Consumer) -> None:
        """Its stream has ended."""
        self._subscription.end_consumer(consumer)

    def _check(self, ack_ids: Collection[str]) -> None:
        prefix = f"{self._subscription.name}:"
        for ack_id in ack_ids:
            if not ack_id.startswith(prefix):
                raise invalid(f"Invalid ack id (ack_id={ack_id})")

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        when = self._subscription.expire(loop.time())
        if self._timer is not None:
            if when is not None and self._timer.when() <= when and not self._timer.cancelled():
                return
            self._timer.cancel()
            self._timer = None
        if when is not None:
            self._timer = loop.call_at(when, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._set_timer()
