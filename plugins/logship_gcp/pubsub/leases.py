"""Which messages are leased, which feeds still need them, and what is to be told the broker.

A message is acknowledged when every feed that was open when it came has settled it; until then its
lease is extended. Bytes count from the pull to the last settlement: they bound what is held. Plain
state without I/O: `source` does the calls. All of it runs in the event loop.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from logship.api import Batch, Origin
from logship_gcp.pubsub.incoming import Gathered


@dataclass(eq=False, slots=True)
class Delivery:
    """One message, under its newest lease."""

    message_id: str
    ack_id: str
    size: int = 0
    waits: int = 0
    """Feeds that have not settled it."""


@dataclass(eq=False, slots=True)
class Lease:
    """A batch as one feed offers it: what settling it settles."""

    batch: Batch
    deliveries: Sequence[Delivery]


class Leases:
    def __init__(self) -> None:
        self.feeds: list[LeaseFeed] = []
        self.held_bytes = 0
        self.acks: list[str] = []
        """Settled, to be acknowledged."""
        self._by_message: dict[str, Delivery] = {}
        self.on_change: Callable[[], None] = lambda: None

    def open(self, origin: Origin, on_ready: Callable[[], None]) -> "LeaseFeed":
        feed = LeaseFeed(origin, self, on_ready)
        self.feeds.append(feed)
        self.on_change()
        return feed

    def accept(self, message_id: str, ack_id: str, size: int) -> Delivery | None:
        """A message that came; None when it is held already, under an older lease."""
        known = self._by_message.get(message_id)
        if known is not None:
            known.ack_id = ack_id
            return None
        delivery = Delivery(message_id, ack_id, size, len(self.feeds))
        self._by_message[message_id] = delivery
        self.held_bytes += size
        return delivery

    def forget(self, deliveries: Iterable[Delivery]) -> None:
        """These were never offered: their leases run out and the broker sends them again."""
        for delivery in deliveries:
            if self._by_message.pop(delivery.message_id, None) is not None:
                self.held_bytes -= delivery.size

    def offer(self, gathered: Iterable[Gathered], deliveries: Sequence[Delivery]) -> None:
        """Give decoded batches to every feed; some may have come or gone meanwhile."""
        if not self.feeds:
            self.forget(deliveries)
            return
        for delivery in deliveries:
            delivery.waits = len(self.feeds)
        for found in gathered:
            sources = [deliveries[number] for number in found.messages]
            grown = max(0, found.batch.size() - sum(source.size for source in sources))
            sources[0].size += grown
            self.held_bytes += grown
            for feed in self.feeds:
                feed.put(Lease(replace(found.batch), sources))
        for feed in self.feeds:
            feed.on_ready()

    def settled(self, delivery: Delivery) -> None:
        delivery.waits -= 1
        if delivery.waits > 0:
            return
        if self._by_message.pop(delivery.message_id, None) is not None:
            self.held_bytes -= delivery.size
            self.acks.append(delivery.ack_id)
        self.on_change()

    def close(self, feed: "LeaseFeed") -> None:
        """It is not read any more."""
        self.feeds.remove(feed)
        for lease in feed.give_up():
            self.forget(lease.deliveries)
        self.on_change()

    def leased(self) -> list[str]:
        """The leases that must not run out."""
        return [delivery.ack_id for delivery in self._by_message.values()]

    def idle(self) -> bool:
        """Whether no feed has a batch that somebody works on."""
        return not any(feed.taken for feed in self.feeds)


@dataclass(eq=False, slots=True)
class LeaseFeed:
    """What one route reads of a subscription. `Feed` of the plugin API."""

    origin: Origin
    leases: Leases
    on_ready: Callable[[], None]
    taken: set[Lease] = field(default_factory=set)
    _queue: deque[Lease] = field(default_factory=deque)

    def put(self, lease: Lease) -> None:
        self._queue.append(lease)

    def give_up(self) -> list[Lease]:
        """All that it has not settled."""
        left = [*self._queue, *self.taken]
        self._queue.clear()
        self.taken.clear()
        return left

    def waiting(self) -> int | None:
        """Only the broker knows its backlog."""
        return None

    async def take(self, max_bytes: int) -> Batch | None:
        if not self._queue:
            return None
        lease = self._queue.popleft()
        self.taken.add(lease)
        return replace(lease.batch, feed_key=lease)

    def settle(self, batch: Batch) -> None:
        lease = self._mine(batch)
        if lease is None:
            return
        for delivery in lease.deliveries:
            self.leases.settled(delivery)

    def release(self, batch: Batch) -> None:
        """The lease is kept; the batch is offered again as it came."""
        lease = self._mine(batch)
        if lease is None:
            return
        self._queue.appendleft(lease)
        self.on_ready()

    def close(self) -> None:
        """What it has not settled comes again, from the broker: to all feeds there are then."""
        self.leases.close(self)

    def _mine(self, batch: Batch) -> Lease | None:
        lease = batch.feed_key
        if not isinstance(lease, Lease) or lease not in self.taken:
            return None
        self.taken.discard(lease)
        return lease
