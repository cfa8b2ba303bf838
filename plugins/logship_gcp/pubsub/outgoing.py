"""Messages on their way out: what they carry, how they share requests, how they are halved.

Plain values and functions; the sink does the calls. A message knows which rows it stands for, so
that what happens to it can be told of those rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from logship.api import Again, Batch, Labels, Outcome, Refused, Retry
from logship_gcp.pubsub import wire

MAX_MESSAGES = 1000
MAX_REQUEST_BYTES = 10_000_000
MAX_ATTRIBUTE_BYTES = 1024
FILTERED = ("cluster", "namespace", "pod", "container")
"""The labels that become attributes, beside the route, for the filters of subscriptions."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    batch: int
    """Index into the batches of the write."""
    rows: Sequence[int] | None
    """Indices into the rows of that batch; None: all of them."""
    encoded: bytes
    """As it stands in a PublishRequest."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was not published; `retry` is None when it never will be."""

    message: Outgoing
    reason: str
    retry: Retry | None = None
    suspect: bool = False
    """Whether Pub/Sub refused it without saying that it is this message's fault."""


def attributes(labels: Labels, route: str, message_format: str) -> bytes:
    """The attributes all messages of a batch share."""
    values = {name: _cut(value) for name in FILTERED if (value := labels.get(name))}
    if route:
        values["route"] = route
    return wire.attributes({**values, "format": message_format})


def _cut(value: str) -> str:
    if len(value) * 4 <= MAX_ATTRIBUTE_BYTES:
        return value
    return value.encode(errors="replace")[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")


_INSERT_ID = wire.attribute_name("insert_id")


def insert_id(row_id: str) -> bytes:
    """The attribute that tells a record's row."""
    return wire.attribute(_INSERT_ID, _cut(row_id).encode())


def pack(
    messages: Iterable[Outgoing], room_bytes: int, max_message_bytes: int
) -> Iterator[list[Outgoing]]:
    """Requests within the limits; a message that is too large for any is alone in one."""
    request: list[Outgoing] = []
    size = 0
    for message in messages:
        own = len(message.encoded)
        if own > max_message_bytes:
            yield [message]
            continue
        if request and (size + own > room_bytes or len(request) >= MAX_MESSAGES):
            yield request
            request, size = [], 0
        request.append(message)
        size += own
    if request:
        yield request


def halves(batch: Batch, rows: Sequence[int] | None) -> tuple[list[int], list[int]]:
    """The rows of a message in two halves; the second is empty when there is only one row."""
    every = list(range(len(batch.rows))) if rows is None else list(rows)
    middle = (len(every) + 1) // 2
    return every[:middle], every[middle:]


def part(batch: Batch, rows: Sequence[int]) -> Batch:
    """Only these rows of the batch."""
    wanted = set(rows)
    return batch.keep([row in wanted for row in range(len(batch.rows))])


def outcome(failed: Sequence[Failed], batches: Sequence[Batch]) -> Outcome:
    """What became of the rows of a write, from what became of its messages."""
    refused = tuple(
        Refused(f.message.batch, row, f.reason)
        for f in failed
        if f.retry is None
        for row in _rows(f.message, batches)
    )
    return Outcome(refused, tuple(_again(failed)))


def _rows(message: Outgoing, batches: Sequence[Batch]) -> Sequence[int]:
    return range(len(batches[message.batch].rows)) if message.rows is None else message.rows


def _again(failed: Sequence[Failed]) -> Iterator[Again]:
    """One for each batch and failure, so that a thousand rows are not a thousand values."""
    groups: dict[tuple[int, int], list[Failed]] = {}
    for f in failed:
        if f.retry is not None:
            groups.setdefault((f.message.batch, id(f.retry)), []).append(f)
    for (batch, _), members in groups.items():
        retry = members[0].retry
        assert retry is not None
        if any(f.message.rows is None for f in members):
            yield Again(batch, None, retry.reason, retry.after, retry.throttled)
        else:
            rows = [row for f in members for row in f.message.rows or ()]
            yield Again(batch, rows, retry.reason, retry.after, retry.throttled)
