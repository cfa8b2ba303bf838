"""PublishRequest written and google.rpc.Status read by hand, in protobuf's wire format.

The agent publishes without Google's client library, which would cost it 30 MB of memory. What is
written here is held against Google's own classes by a property test.
https://protobuf.dev/programming-guides/encoding/ ; google/pubsub/v1/pubsub.proto
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_LENGTH_DELIMITED = 2
_PUBLISH_TOPIC, _PUBLISH_MESSAGES = 1, 2
_MESSAGE_DATA, _MESSAGE_ATTRIBUTES = 1, 2
_STATUS_DETAILS, _ANY_TYPE, _ANY_VALUE = 3, 1, 2
_RETRY_DELAY, _DURATION_SECONDS, _DURATION_NANOS = 1, 1, 2
_RETRY_INFO = b"type.googleapis.com/google.rpc.RetryInfo"


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = tuple(map(_varint, range(4096)))


def varint(value: int) -> bytes:
    """A number of at least 0, seven bits a byte, the lowest first."""
    return _SMALL[value] if value < 4096 else _varint(value)


def field(number: int, content: bytes) -> bytes:
    """A string, bytes or message field."""
    return head(number, len(content)) + content


def head(number: int, size: int) -> bytes:
    """What stands before a string, bytes or message field of so many bytes."""
    return varint(number << 3 | _LENGTH_DELIMITED) + varint(size)


def attributes(values: Mapping[str, str]) -> bytes:
    """The attributes of a message: the same for all rows of a batch, so made once."""
    return b"".join(
        attribute(attribute_name(name), value.encode()) for name, value in values.items()
    )


def attribute(encoded_name: bytes, value: bytes) -> bytes:
    """One attribute; the name comes from `attribute_name`, once for many values."""
    size = varint(len(value))
    inner = len(encoded_name) + 1 + len(size) + len(value)
    return b"".join((_ATTRIBUTE_TAG, varint(inner), encoded_name, _VALUE_TAG, size, value))


def attribute_name(name: str) -> bytes:
    return field(1, name.encode())


_ATTRIBUTE_TAG = bytes((_MESSAGE_ATTRIBUTES << 3 | _LENGTH_DELIMITED,))
_VALUE_TAG = bytes((2 << 3 | _LENGTH_DELIMITED,))
_DATA_TAG = bytes((_MESSAGE_DATA << 3 | _LENGTH_DELIMITED,))
_MESSAGE_TAG = bytes((_PUBLISH_MESSAGES << 3 | _LENGTH_DELIMITED,))
MESSAGE_TAGS = (_MESSAGE_TAG, _DATA_TAG)
"""Before the length of a message in its request, and before that of its content."""


def message(content: bytes, *attributes: bytes) -> bytes:
    """One PubsubMessage as it stands in a PublishRequest."""
    length = varint(len(content))
    size = 1 + len(length) + len(content) + sum(map(len, attributes))
    return b"".join((_MESSAGE_TAG, varint(size), _DATA_TAG, length, content, *attributes))


def publish_start(topic: str) -> bytes:
    """The first field of a PublishRequest; messages follow it."""
    return field(_PUBLISH_TOPIC, topic.encode())


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    content: bytes = b""
    value: int = 0


def retry_delay_secs(status: bytes) -> float | None:
    """The time a google.rpc.Status asks to wait, from its RetryInfo; None where it has none.

    The bytes come from a server; whatever is wrong with them means that no time is known.
    """
    try:
        for detail in _fields(status, _STATUS_DETAILS):
            kind = b"".join(f.content for f in _fields(detail.content, _ANY_TYPE))
            if kind == _RETRY_INFO:
                return _retry_secs(b"".join(f.content for f in _fields(detail.content, _ANY_VALUE)))
    except (IndexError, ValueError):
        pass
    return None


def parts(content: bytes, number: int) -> list[bytes]:
    """What a repeated field holds; raises ValueError for bytes that are damaged."""
    try:
        return [found.content for found in _fields(content, number)]
    except IndexError:
        raise ValueError("the message ends too early") from None


def texts(content: bytes, number: int) -> list[str]:
    return [part.decode() for part in parts(content, number)]


def _retry_secs(info: bytes) -> float | None:
    for delay in _fields(info, _RETRY_DELAY):
        seconds = sum(f.value for f in _fields(delay.content, _DURATION_SECONDS))
        nanos = sum(f.value for f in _fields(delay.content, _DURATION_NANOS))
        # A negative time is a varint of 64 bits with the highest set.
        return seconds + nanos / 1e9 if seconds < 2**32 and nanos < 10**9 else None
    return None


def _fields(content: bytes, number: int) -> Iterator[_Field]:
    """The fields of this number. Raises IndexError or ValueError where the bytes are damaged."""
    at = 0
    while at < len(content):
        tag, at = _read_varint(content, at)
        value, at, raw = _read_value(content, at, tag & 7)
        if tag >> 3 == number:
            yield _Field(number, raw, value)


def _read_value(content: bytes, at: int, kind: int) -> tuple[int, int, bytes]:
    if kind == 0:
        value, at = _read_varint(content, at)
        return value, at, b""
    if kind == _LENGTH_DELIMITED:
        size, at = _read_varint(content, at)
    elif kind in (1, 5):
        size = 8 if kind == 1 else 4
    else:
        raise ValueError(f"wire type {kind}")
    if at + size > len(content):
        raise IndexError
    return 0, at + size, content[at : at + size]


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a varint of more than ten bytes")
