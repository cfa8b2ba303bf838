"""Messages on their way out: what they carry, how they share requests, how they are halved.

Plain values and functions; the sink does the calls. A message knows which rows it stands for, so
that what happens to it can be told of those rows.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from logship.api import Again, Batch, Labels, Outcome, Refused, Retry
from logship_gcp.pubsub import wire

MAX_MESSAGES = 1000
MAX_REQUEST_BYTES = 10_000_000
MAX_ATTRIBUTE_BYTES = 1024
FILTERED = ("cluster", "namespace", "pod", "container")
"""The labels that become attributes, beside the route, for the filters of subscriptions."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, or several of one batch that lie one after the other."""

    batch: int
    """Index into the batches of the write."""
    rows: Sequence[int] | None
    """Indices into the rows of that batch; None: all of them."""
    encoded: bytes
    """As it stands in a PublishRequest."""
    ends: Sequence[int] = ()
    """Several messages, one for each of `rows`: where each ends."""

    @property
    def count(self) -> int:
        return len(self.ends) or 1

    def sizes(self) -> list[int]:
        """Bytes of each message."""
        return [end - start for start, end in pairwise((0, *(self.ends or (len(self.encoded),))))]

    def split(self, first: int) -> tuple["Outgoing", "Outgoing | None"]:
        """The first messages, and the others."""
        if first >= self.count:
            return self, None
        assert self.rows is not None
        at = self.ends[first - 1]
        rest = [end - at for end in self.ends[first:]]
        return (
            Outgoing(self.batch, self.rows[:first], self.encoded[:at], self.ends[:first]),
            Outgoing(self.batch, self.rows[first:], self.encoded[at:], rest),
        )


@dataclass(frozen=True, slots=True)
class Failed:
    """A message that was not published; `retry` is None when it never will be."""

    message: Outgoing
    reason: str
    retry: Retry | None = None
    suspect: bool = False
    """Whether Pub/Sub refused it without saying that it is this message's fault."""


def attributes(labels: Labels, route: str, message_format: str) -> bytes:
    """The attributes all messages of a batch share, as they stand in a message."""
    return wire.attributes(attribute_values(labels, route, message_format))


def attribute_values(labels: Labels, route: str, message_format: str) -> dict[str, str]:
    values = {name: _cut(value) for name in FILTERED if (value := labels.get(name))}
    if route:
        values["route"] = route
    return {**values, "format": message_format}


def _cut(value: str) -> str:
    if len(value) * 4 <= MAX_ATTRIBUTE_BYTES:
        return value
    return value.encode(errors="replace")[:MAX_ATTRIBUTE_BYTES].decode(errors="ignore")


_INSERT_ID = wire.attribute_name("insert_id")


def insert_id(row_id: str) -> bytes:
    """The attribute that tells a record's row."""
    return wire.attribute(_INSERT_ID, _cut(row_id).encode())


def insert_id_start(chars: int) -> bytes:
    """What stands before an id of so many ASCII characters in its attribute."""
    return wire.attribute(_INSERT_ID, bytes(chars))[:-chars]


def pack(
    messages: Iterable[Outgoing], room_bytes: int, max_message_bytes: int
) -> Iterator[list[Outgoing]]:
    """Requests within the limits; a message that is too large for any is alone in one."""
    request: list[Outgoing] = []
    size = count = 0
    for message in _apart(messages, max_message_bytes):
        if message.count == 1 and len(message.encoded) > max_message_bytes:
            yield [message]
            continue
        rest: Outgoing | None = message
        while rest is not None:
            ends = rest.ends or (len(rest.encoded),)
            fitting = min(bisect_right(ends, room_bytes - size), MAX_MESSAGES - count)
            if not fitting and request:
                yield request
                request, size, count = [], 0, 0
                continue
            part, rest = rest.split(max(fitting, 1))
            request.append(part)
            size += len(part.encoded)
            count += part.count
    if request:
        yield request


def _apart(messages: Iterable[Outgoing], max_message_bytes: int) -> Iterator[Outgoing]:
    """The same messages; those that are too large by themselves."""
    for message in messages:
        if message.count == 1 or len(message.encoded) <= max_message_bytes:
            yield message
            continue
        rest: Outgoing | None = message
        while rest is not None:
            sizes = rest.sizes()
            before = next((n for n, size in enumerate(sizes) if size > max_message_bytes), None)
            part, rest = rest.split(len(sizes) if before is None else before or 1)
            yield part


def split(messages: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    """About half of the messages of a request each."""
    if len(messages) == 1:
        parts = messages[0].split(messages[0].count // 2)
        messages = [part for part in parts if part is not None]
    middle = len(messages) // 2
    yield messages[:middle]
    yield messages[middle:]


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
