"""One subscription: what waits, what is leased, and what comes back.

Plain state, driven from outside: every method that needs the time gets it (seconds of a monotonic
clock), and `wake` is called when a consumer that waits should look again.

A message is *waiting*, *leased* under an ack id until a deadline, *delayed* by the retry policy, or
gone. A nack or a passed deadline makes it wait again. When a consumer's stream ends, its leases are
given to others at once, but their ack ids stay good until their deadlines: a client that reconnects
acknowledges what it was given before, as it may with Google. A late ack counts until the message is
given away again, as it does with Google's emulator.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from logship_sandbox.pubsub_filter import Condition
from logship_sandbox.pubsub_messages import PubsubMessage

MAX_BACKOFF_DOUBLINGS = 16


@dataclass(eq=False, slots=True)
class Message:
    """A published message; `holders` counts the subscriptions that still have it."""

    message: PubsubMessage
    size_bytes: int
    holders: int = 0


@dataclass(eq=False, slots=True)
class Entry:
    """A message in one subscription."""

    message: Message
    attempts: int = 0
    lease: "Lease | None" = None
    late: "Lease | None" = None  # its deadline has passed and nobody else has the message yet
    ticket: int = 0  # changes with its state: an older place in a queue is void
    gone: bool = False


@dataclass(eq=False, slots=True)
class Consumer:
    """A stream, and how much is leased to it."""

    messages: int = 0
    bytes: int = 0


@dataclass(eq=False, slots=True)
class Lease:
    """One delivery; `consumer` is None for a unary pull or when its stream has ended."""

    ack_id: str
    entry: Entry
    deadline: float
    consumer: Consumer | None


@dataclass(frozen=True)
class Policy:
    """What a subscription was created with."""

    ack_deadline_secs: int = 10
    accepts: Condition = lambda attributes: True
    max_attempts: int = 0  # then to the dead letter topic; 0: never
    min_backoff_secs: float = 0.0
    max_backoff_secs: float = 0.0


class Subscription:
    """`forget` gets each message that is done here; `bury` takes a message that was delivered too
    often and says whether it found a grave."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        forget: Callable[[Message], None],
        bury: Callable[[Entry], bool],
    ) -> None:
        self.name = name
        self.policy = policy
        self.wake: Callable[[], None] = lambda: None
        self._forget = forget
        self._bury = bury
        self._waiting: deque[tuple[Entry, int]] = deque()
        self._leases: dict[str, Lease] = {}
        self._alarms: list[tuple[float, int, Lease | Entry, int]] = []
        self._entries: set[Entry] = set()
        self._serial = itertools.count(1)

    def __len__(self) -> int:
        """Messages not acknowledged."""
        return len(self._entries)

    def offer(self, message: Message) -> None:
        """Take a new message, unless the filter refuses it."""
        if not self.policy.accepts(message.message.attributes):
            return
        message.holders += 1
        entry = Entry(message)
        self._entries.add(entry)
        self._queue(entry)

    def take(
        self,
        now: float,
        max_messages: int,
        max_bytes: int,
        deadline_secs: float,
        consumer: Consumer | None = None,
    ) -> list[Lease]:
        """Lease up to so much; a message larger than `max_bytes` comes alone."""
        self.expire(now)
        leases: list[Lease] = []
        size = 0
        while self._waiting and len(leases) < max_messages:
            entry, ticket = self._waiting[0]
            if entry.gone or entry.ticket != ticket:
                self._waiting.popleft()
                continue
            size += entry.message.size_bytes
            if leases and size > max_bytes:
                break
            self._waiting.popleft()
            leases.append(self._lease(entry, now + deadline_secs, consumer))
        return leases

    def _lease(self, entry: Entry, deadline: float, consumer: Consumer | None) -> Lease:
        entry.attempts += 1
        entry.ticket += 1
        lease = Lease(f"{self.name}:{next(self._serial)}", entry, deadline, consumer)
        entry.lease = lease
        if entry.late is not None:
            self._leases.pop(entry.late.ack_id, None)
            entry.late = None
        self._leases[lease.ack_id] = lease
        if consumer is not None:
            consumer.messages += 1
            consumer.bytes += entry.message.size_bytes
        self._set_alarm(deadline, lease, 0)
        return lease

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        """Done with these; an id that is out of date is ignored, as Pub/Sub does."""
        for ack_id in ack_ids:
            lease = self._leases.get(ack_id)
            if lease is not None:
                self._drop(lease)
                self._finish(lease.entry)
        self.wake()

    def modify(self, ack_ids: Iterable[str], deadline_secs: float, now: float) -> None:
        """Move deadlines to so long from now; 0 is a nack."""
        self.expire(now)
        for ack_id in ack_ids:
            lease = self._leases.get(ack_id)
            if lease is None:
                continue
            if deadline_secs <= 0:
                self._end(lease, now)
                continue
            lease.deadline = now + deadline_secs
            self._set_alarm(lease.deadline, lease, 0)
            if lease.entry.lease is None:  # late, or its stream had ended: the client is back
                lease.entry.lease, lease.entry.late = lease, None
                lease.entry.ticket += 1
        self.wake()

    def end_consumer(self, consumer: Consumer) -> None:
        """Its stream is dead: others may have what was leased to it."""
        for lease in self._leases.values():
            if lease.consumer is consumer:
                lease.consumer = None
                if lease.entry.lease is lease:
                    lease.entry.lease = None
                    self._queue(lease.entry)
        self.wake()

    def expire(self, now: float) -> float | None:
        """Take back what is overdue; when to ask again."""
        while self._alarms and self._alarms[0][0] <= now:
            when, _, subject, ticket = heapq.heappop(self._alarms)
            if isinstance(subject, Entry):
                if subject.ticket == ticket and not subject.gone:
                    self._queue(subject)
            elif self._leases.get(subject.ack_id) is subject and subject.deadline == when:
                self._end(subject, now, late=True)
        return self._alarms[0][0] if self._alarms else None

    def close(self) -> None:
        """The subscription is deleted: nothing is held any more."""
        for entry in list(self._entries):
            self._finish(entry)
        self._leases.clear()
        self.wake()

    def _end(self, lease: Lease, now: float, *, late: bool = False) -> None:
        """A nack or, when `late`, a passed deadline."""
        self._drop(lease)
        entry = lease.entry
        if entry.lease is not lease or entry.gone:
            return
        entry.lease = None
        if late:
            entry.late = lease
            self._leases[lease.ack_id] = lease
        policy = self.policy
        if policy.max_attempts and entry.attempts >= policy.max_attempts and self._bury(entry):
            self._finish(entry)
            return
        if not policy.max_backoff_secs:
            self._queue(entry)
            return
        doublings = min(entry.attempts - 1, MAX_BACKOFF_DOUBLINGS)
        delay = min(policy.min_backoff_secs * 2**doublings, policy.max_backoff_secs)
        entry.ticket += 1
        self._set_alarm(now + delay, entry, entry.ticket)

    def _drop(self, lease: Lease) -> None:
        self._leases.pop(lease.ack_id, None)
        if lease.consumer is not None:
            lease.consumer.messages -= 1
            lease.consumer.bytes -= lease.entry.message.size_bytes
            lease.consumer = None

    def _finish(self, entry: Entry) -> None:
        if entry.gone:
            return
        entry.gone = True
        self._entries.discard(entry)
        for lease in (entry.lease, entry.late):
            if lease is not None:
                self._drop(lease)
        self._forget(entry.message)

    def _queue(self, entry: Entry) -> None:
        entry.ticket += 1
        self._waiting.append((entry, entry.ticket))
        self.wake()

    def _set_alarm(self, when: float, subject: Lease | Entry, ticket: int) -> None:
        heapq.heappush(self._alarms, (when, next(self._serial), subject, ticket))
