"""Pub/Sub's messages as the sandbox sees them, and the limits of a publish.

Google's classes are generated at run time and have no static types, so the fields that are used
here are written down as protocols. The raw (upb) classes serve as gRPC (de)serializers: the
wrappers of google-cloud-pubsub cost several times as much per message.

Limits: the Pub/Sub "Quotas and limits" page and the comments of google/pubsub/v1/pubsub.proto.
"""

import re
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Protocol

import grpc

MAX_PUBLISH_MESSAGES = 1000
MAX_PUBLISH_BYTES = 10_000_000
MAX_MESSAGE_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024

# "It must start with a letter, and contain only letters, dashes, underscores, periods, tildes,
# plus or percent signs. It must be between 3 and 255 characters in length, and it must not start
# with "goog"" (Topic.name).
_NAME = re.compile(
    r"projects/[a-z0-9:.\-]+/(?P<kind>topics|subscriptions)/(?!goog)[A-Za-z][\w.~+%\-]{2,254}",
    re.ASCII,
)


class PubsubError(Exception):
    """A call's failure as a gRPC status."""

    def __init__(self, code: grpc.StatusCode, message: str, retry_after_secs: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after_secs = retry_after_secs


def invalid(message: str) -> PubsubError:
    """INVALID_ARGUMENT."""
    return PubsubError(grpc.StatusCode.INVALID_ARGUMENT, message)


class Timestamp(Protocol):
    """google.protobuf.Timestamp."""

    def FromNanoseconds(self, nanos: int) -> None: ...
    def ToJsonString(self) -> str: ...


class PubsubMessage(Protocol):
    """google.pubsub.v1.PubsubMessage."""

    data: bytes
    attributes: MutableMapping[str, str]
    message_id: str
    ordering_key: str

    @property
    def publish_time(self) -> Timestamp: ...
    def ByteSize(self) -> int: ...
    def CopyFrom(self, other: "PubsubMessage") -> None: ...


class PublishRequest(Protocol):
    """google.pubsub.v1.PublishRequest."""

    topic: str

    @property
    def messages(self) -> Sequence[PubsubMessage]: ...
    def ByteSize(self) -> int: ...


def check_name(name: str, kind: str) -> None:
    """`kind` is topics or subscriptions."""
    match = _NAME.fullmatch(name)
    if match is None or match["kind"] != kind:
        raise invalid(
            f"Invalid resource name given (name={name}): it must be projects/PROJECT/{kind}/ID, "
            "the ID 3 to 255 letters, digits and -_.~+%, beginning with a letter and not with goog"
        )


def check_publish(request: PublishRequest) -> None:
    """Refuse a publish as a whole, as Pub/Sub does."""
    if not 1 <= len(request.messages) <= MAX_PUBLISH_MESSAGES:
        raise invalid(
            f"The request has {len(request.messages)} messages: 1 to {MAX_PUBLISH_MESSAGES} may be"
        )
    size = request.ByteSize()
    if size > MAX_PUBLISH_BYTES:
        raise invalid(f"The request has {size} bytes: the maximum is {MAX_PUBLISH_BYTES}")
    keys = set()
    for place, message in enumerate(request.messages):
        try:
            _check_message(message)
        except ValueError as error:
            raise invalid(f"messages[{place}]: {error}") from None
        keys.add(message.ordering_key)
    if len(keys) > 1:
        raise invalid("All messages of one request must have the same ordering key")


def _check_message(message: PubsubMessage) -> None:
    attributes = message.attributes
    if not message.data and not attributes:
        raise ValueError("a message needs data or at least one attribute")
    if len(message.data) > MAX_MESSAGE_BYTES:
        raise ValueError(f"{len(message.data)} bytes of data: the maximum is {MAX_MESSAGE_BYTES}")
    if len(message.ordering_key.encode()) > MAX_ORDERING_KEY_BYTES:
        raise ValueError(f"the ordering key is longer than {MAX_ORDERING_KEY_BYTES} bytes")
    if attributes:
        _check_attributes(attributes.items(), len(attributes))


def _check_attributes(attributes: Iterable[tuple[str, str]], count: int) -> None:
    if count > MAX_ATTRIBUTES:
        raise ValueError(f"{count} attributes: the maximum is {MAX_ATTRIBUTES}")
    for key, value in attributes:
        if not key or key.startswith("goog"):
            raise ValueError(f"attribute key {key!r} must not be empty or begin with goog")
        if len(key.encode()) > MAX_KEY_BYTES:
            raise ValueError(f"attribute key {key[:20]!r}... is over {MAX_KEY_BYTES} bytes")
        if len(value.encode()) > MAX_VALUE_BYTES:
            raise ValueError(f"the value of attribute {key!r} is over {MAX_VALUE_BYTES} bytes")
