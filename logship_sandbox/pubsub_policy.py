"""What a subscription is created with, checked and in the sandbox's terms.

What Pub/Sub has and the sandbox has not is refused, never ignored.
"""

from collections.abc import MutableMapping
from typing import Protocol, runtime_checkable

import grpc

from logship_sandbox.pubsub_filter import parse_filter
from logship_sandbox.pubsub_messages import PubsubError, check_name, invalid
from logship_sandbox.pubsub_subscription import Policy

_UNSUPPORTED = (
    "push_config",
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "enable_message_ordering",
    "enable_exactly_once_delivery",
    "message_transforms",
)


@runtime_checkable
class Sized(Protocol):
    """A message of any type."""

    def ByteSize(self) -> int: ...


class Seconds(Protocol):
    """google.protobuf.Duration."""

    def ToNanoseconds(self) -> int: ...


class _DeadLetterPolicy(Protocol):
    dead_letter_topic: str
    max_delivery_attempts: int


class _RetryPolicy(Protocol):
    @property
    def minimum_backoff(self) -> Seconds: ...
    @property
    def maximum_backoff(self) -> Seconds: ...


class SubscriptionSpec(Protocol):
    """google.pubsub.v1.Subscription; its other fields are looked at by name."""

    name: str
    topic: str
    ack_deadline_seconds: int
    filter: str

    @property
    def dead_letter_policy(self) -> _DeadLetterPolicy: ...
    @property
    def retry_policy(self) -> _RetryPolicy: ...
    @property
    def labels(self) -> MutableMapping[str, str]: ...
    def ByteSize(self) -> int: ...
    def HasField(self, name: str) -> bool: ...


def policy_of(spec: SubscriptionSpec) -> Policy:
    """What CreateSubscription asks for, in the sandbox's terms."""
    _refuse_unsupported(spec)
    deadline = spec.ack_deadline_seconds or 10
    if not 10 <= deadline <= 600:
        raise invalid(f"ack_deadline_seconds is {deadline}: 10 to 600 may be")
    attempts = 0
    if spec.HasField("dead_letter_policy"):
        attempts = spec.dead_letter_policy.max_delivery_attempts or 5
        check_name(spec.dead_letter_policy.dead_letter_topic, "topics")
        if not 5 <= attempts <= 100:
            raise PubsubError(
                grpc.StatusCode.OUT_OF_RANGE,
                f"max_delivery_attempts is {attempts}: 5 to 100 may be",
            )
    low = high = 0.0
    if spec.HasField("retry_policy"):
        low = spec.retry_policy.minimum_backoff.ToNanoseconds() / 1e9 or 10.0
        high = spec.retry_policy.maximum_backoff.ToNanoseconds() / 1e9 or 600.0
        if not 0 <= low <= high <= 600:
            raise invalid(f"retry_policy from {low} s to {high} s: 0 to 600 in order may be")
    return Policy(deadline, parse_filter(spec.filter), attempts, low, high)


def _refuse_unsupported(spec: SubscriptionSpec) -> None:
    for name in _UNSUPPORTED:
        value = getattr(spec, name)
        # A field of a message type is never absent; it is set when it has bytes.
        if value.ByteSize() if isinstance(value, Sized) else value:
            raise PubsubError(
                grpc.StatusCode.UNIMPLEMENTED, f"the sandbox has no subscription with {name}"
            )
