"""Messages of a subscription into batches.

A block is the batch it was made of. Records and foreign messages become rows with the ids they came
with, gathered by what they say of their origin. A message that cannot be decoded is neither lost
nor fetched for ever: it goes on as the text it is, marked and labelled with the reason.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from logship.api import Batch, Cutting, Generation, Labels, Mark, Origin, Rows, is_time, time_text
from logship_gcp import block_format
from logship_gcp.bigquery.labels import SHARED
from logship_gcp.pubsub import record

REASON = "logship/not_decoded"
ENCODING = "logship/encoding"
_ROUTE = "route"


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a subscription gave it."""

    message_id: str
    publish_ns: int
    content: bytes
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gathered:
    """A batch and the messages that its rows came in (indices of those that were decoded)."""

    batch: Batch
    messages: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Single:
    """One message that is one row."""

    message: int
    row_id: str
    time: str
    stream: str
    text: str
    labels: Mapping[str, str]
    extra: Mapping[str, str]
    malformed: bool = False


def decode(received: Sequence[Received], subscription: str) -> list[Gathered]:
    """Batches of the messages, each message in exactly one. Never fails."""
    found: list[Gathered] = []
    singles: list[_Single] = []
    for number, message in enumerate(received):
        decoded = _decode(number, message)
        if isinstance(decoded, Batch):
            found.append(Gathered(decoded, (number,)))
        else:
            singles.append(decoded)
    return found + _gather(singles, received, subscription)


def _decode(number: int, message: Received) -> Batch | _Single:
    try:
        if block_format.is_block(message.content):
            return block_format.decode(message.content)
        if message.attributes.get("format") == record.FORMAT:
            return _record(number, message)
    except ValueError as error:
        return _foreign(number, message, str(error))
    return _foreign(number, message, "")


def _record(number: int, message: Received) -> _Single:
    row = record.decode_row(message.content)
    row_id = message.attributes.get("insert_id") or message.message_id
    return _Single(number, row_id, row.time, row.stream, row.text, row.labels, {})


def _foreign(number: int, message: Received, reason: str) -> _Single:
    """Whatever it is: its attributes are labels, its id is its row's id."""
    labels = {name: value for name in SHARED if (value := message.attributes.get(name))}
    known = {*SHARED, _ROUTE, "format", "insert_id"}
    extra = {name: value for name, value in message.attributes.items() if name not in known}
    if reason:
        extra[REASON] = reason[:256]
    try:
        text = message.content.decode()
    except UnicodeDecodeError:
        text = base64.b64encode(message.content).decode()
        extra[ENCODING] = "base64"
    time = _own_time(text) or time_text(message.publish_ns)
    row_id = message.message_id
    malformed = bool(reason) or ENCODING in extra
    return _Single(number, row_id, time, "stdout", text, labels, extra, malformed)


def _own_time(text: str) -> str | None:
    """The `timestamp` of a JSON object."""
    if text[:1] != "{":
        return None
    try:
        time = orjson.loads(text).get("timestamp")
    except orjson.JSONDecodeError:
        return None
    return time if isinstance(time, str) and is_time(time) else None


def _gather(
    singles: Sequence[_Single], received: Sequence[Received], subscription: str
) -> list[Gathered]:
    groups: dict[tuple[frozenset[tuple[str, str]], ...], list[_Single]] = {}
    for single in singles:
        key = (frozenset(single.labels.items()), frozenset(single.extra.items()))
        groups.setdefault(key, []).append(single)
    return [
        Gathered(_batch(group, received, subscription), [single.message for single in group])
        for group in groups.values()
    ]


def _batch(group: Sequence[_Single], received: Sequence[Received], subscription: str) -> Batch:
    first = group[0]
    labels = Labels({"subscription": subscription, **first.labels})
    rows = Rows(
        Generation(0, 0),
        range(len(group)),
        [single.time for single in group],
        [single.stream for single in group],
        [single.text for single in group],
        marks={n: Mark(malformed=True) for n, single in enumerate(group) if single.malformed},
        given_ids=[single.row_id for single in group],
    )
    name = "/".join(first.labels.get(label, "") for label in SHARED)
    return Batch(
        origin=Origin(f"{subscription}/{name}", labels),
        labels=labels,
        pieces=(),
        # Only for its size: the rows are what counts.
        block=b"\n".join([*(received[single.message].content for single in group), b""]),
        cutting=Cutting("plain"),
        extra=first.extra,
    ).with_rows(rows)
