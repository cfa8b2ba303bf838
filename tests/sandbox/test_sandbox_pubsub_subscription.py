"""Leases, deadlines and redelivery as plain state, with numbers for the clock."""

from google.pubsub_v1 import types
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from logship_sandbox.pubsub_subscription import (
    Consumer,
    Entry,
    Lease,
    Message,
    Policy,
    Subscription,
)

PLENTY = 1 << 30


def message(text: str, size: int = 1) -> Message:
    return Message(types.PubsubMessage.pb()(message_id=text), size)


def subscription(
    policy: Policy | None = None, *, graves: list[Entry] | None = None
) -> Subscription:
    def bury(entry: Entry) -> bool:
        if graves is None:
            return False
        graves.append(entry)
        return True

    return Subscription("s", policy or Policy(), lambda message: None, bury)


def ids(leases: list[Lease]) -> list[str]:
    return [lease.entry.message.message.message_id for lease in leases]


def test_a_take_is_bounded_by_bytes_but_a_large_message_comes_alone() -> None:
    sub = subscription()
    for text, size in (("a", 6), ("b", 3), ("c", 3), ("huge", 99), ("d", 1)):
        sub.offer(message(text, size))
    takes = [ids(sub.take(0, 10, 10, 60)) for _ in range(4)]
    assert takes == [["a", "b"], ["c"], ["huge"], ["d"]]


def test_a_deadline_is_passed_at_its_instant() -> None:
    sub = subscription()
    sub.offer(message("a"))
    sub.take(100.0, 1, PLENTY, 10)
    assert sub.expire(109.9) == 110.0
    assert not sub.take(109.9, 1, PLENTY, 10)
    assert ids(sub.take(110.0, 1, PLENTY, 10)) == ["a"]


def test_a_dead_streams_leases_are_given_to_others_at_once() -> None:
    sub = subscription()
    dead = Consumer()
    sub.offer(message("a"))
    sub.take(0, 1, PLENTY, 600, dead)
    sub.end_consumer(dead)
    assert ids(sub.take(0, 1, PLENTY, 600)) == ["a"]


def test_an_ack_after_a_reconnect_counts() -> None:
    sub = subscription()
    dead = Consumer()
    sub.offer(message("a"))
    (lease,) = sub.take(0, 1, PLENTY, 600, dead)
    sub.end_consumer(dead)
    sub.acknowledge([lease.ack_id])
    assert len(sub) == 0
    assert not sub.take(0, 1, PLENTY, 600)


def test_a_client_that_reconnects_and_extends_keeps_its_message() -> None:
    sub = subscription()
    dead = Consumer()
    sub.offer(message("a"))
    (lease,) = sub.take(0, 1, PLENTY, 10, dead)
    sub.end_consumer(dead)
    sub.modify([lease.ack_id], 60, 5)
    assert not sub.take(30, 1, PLENTY, 10)
    assert ids(sub.take(65, 1, PLENTY, 10)) == ["a"]


def test_a_late_ack_counts_until_the_message_is_given_away_again() -> None:
    sub = subscription()
    for text in "ab":
        sub.offer(message(text))
    a, b = sub.take(0, 2, PLENTY, 10)
    sub.expire(20)
    sub.acknowledge([a.ack_id])
    assert ids(sub.take(20, 2, PLENTY, 10)) == ["b"]
    sub.acknowledge([b.ack_id])
    assert len(sub) == 1


def test_flow_control_counts_what_is_leased_to_a_stream() -> None:
    sub = subscription()
    one, other = Consumer(), Consumer()
    for text in "abc":
        sub.offer(message(text, 5))
    taken = sub.take(0, 2, PLENTY, 10, one) + sub.take(0, 1, PLENTY, 20, other)
    assert (one.messages, one.bytes, other.messages) == (2, 10, 1)
    sub.acknowledge([taken[0].ack_id])
    assert (one.messages, one.bytes) == (1, 5)
    sub.expire(10)
    assert (one.messages, one.bytes, other.messages) == (0, 0, 1)
    sub.modify([taken[2].ack_id], 0, 11)
    assert other.messages == 0


def test_a_retry_policy_delays_a_nacked_message_longer_each_time() -> None:
    sub = subscription(Policy(min_backoff_secs=10, max_backoff_secs=35))
    sub.offer(message("a"))
    now = 0.0
    for delay in (10, 20, 35, 35):
        (lease,) = sub.take(now, 1, PLENTY, 600)
        sub.modify([lease.ack_id], 0, now)
        assert not sub.take(now + delay - 0.1, 1, PLENTY, 600)
        now += delay
    assert sub.take(now, 1, PLENTY, 600)


def exhaust(sub: Subscription) -> None:
    """Let five deadlines of one message pass."""
    sub.offer(message("a"))
    for attempt in range(5):
        assert sub.take(attempt * 10, 1, PLENTY, 10)
    sub.expire(50)


def test_a_message_is_buried_after_its_last_attempt() -> None:
    graves: list[Entry] = []
    sub = subscription(Policy(max_attempts=5), graves=graves)
    exhaust(sub)
    assert [entry.attempts for entry in graves] == [5]
    assert len(sub) == 0


def test_a_message_without_a_grave_stays() -> None:
    sub = subscription(Policy(max_attempts=5))
    exhaust(sub)
    assert ids(sub.take(50, 1, PLENTY, 10)) == ["a"]


class Life(RuleBasedStateMachine):
    """Against a model: who may have which message, and which are done."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.sub = subscription()
        self.published = 0
        self.acked: set[str] = set()
        self.held: dict[str, tuple[Lease, float]] = {}  # by message id: the lease in force
        self.given: list[Lease] = []
        self.consumers = [Consumer(), Consumer()]

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        for _ in range(count):
            self.published += 1
            self.sub.offer(message(f"{self.published}"))

    @rule(count=st.integers(1, 5), secs=st.integers(1, 20), who=st.integers(0, 1))
    def take(self, count: int, secs: int, who: int) -> None:
        for lease in self.sub.take(self.now, count, PLENTY, secs, self.consumers[who]):
            (name,) = ids([lease])
            assert name not in self.acked, "an acknowledged message came again"
            assert name not in self.held, "a leased message was given to another"
            self.held[name] = (lease, self.now + secs)
            self.given.append(lease)

    @precondition(lambda self: self.given)
    @rule(at=st.integers(0, 1000))
    def acknowledge(self, at: int) -> None:
        lease = self.given[at % len(self.given)]
        (name,) = ids([lease])
        before = len(self.sub)
        self.sub.acknowledge([lease.ack_id])
        in_force = self.held.get(name)
        if in_force is not None and in_force[0] is lease:
            assert len(self.sub) == before - 1, "an ack in time did not count"
        if len(self.sub) < before:
            self.acked.add(name)
            self.held.pop(name, None)

    @precondition(lambda self: self.held)
    @rule(at=st.integers(0, 1000), secs=st.integers(0, 20))
    def modify(self, at: int, secs: int) -> None:
        name = sorted(self.held)[at % len(self.held)]
        lease, _ = self.held[name]
        self.sub.modify([lease.ack_id], secs, self.now)
        if secs:
            self.held[name] = (lease, self.now + secs)
        else:
            del self.held[name]

    @rule(secs=st.integers(0, 15))
    def wait(self, secs: int) -> None:
        self.now += secs
        self.held = {n: (le, until) for n, (le, until) in self.held.items() if until > self.now}
        self.sub.expire(self.now)

    @rule(who=st.integers(0, 1))
    def end_stream(self, who: int) -> None:
        dead = self.consumers[who]
        lost = [n for n, (lease, _) in self.held.items() if lease.consumer is dead]
        self.sub.end_consumer(dead)
        self.consumers[who] = Consumer()
        for name in lost:
            del self.held[name]

    @invariant()
    def nothing_is_lost(self) -> None:
        assert len(self.sub) == self.published - len(self.acked)

    @invariant()
    def flow_control_adds_up(self) -> None:
        for consumer in self.consumers:
            mine = [1 for lease, _ in self.held.values() if lease.consumer is consumer]
            assert consumer.messages == len(mine) == consumer.bytes

    def teardown(self) -> None:
        everything = {f"{n + 1}" for n in range(self.published)}
        left = ids(self.sub.take(self.now + 1000, 10_000, PLENTY, 1))
        assert sorted(left) == sorted(everything - self.acked)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
