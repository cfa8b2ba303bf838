"""The entries of a batch by the compiled kernel: those of the pure encoder, without columns.

Rows that stand as they are (texts, objects) never become Python objects, nor do special members
of the usual forms (see `certain`): the kernel lifts them, and copies what remains. Python says what
severities mean, once for each different value. Whatever is doubtful takes the pure way.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import orjson

from logship.api import (
    Batch,
    JsonObject,
    Parsed,
    Rows,
    id_low,
    id_prefix,
    kernel,
    of_fields,
    parse_object,
    told_by_texts,
)
from logship_gcp.cloud_logging.middles import JSON, QUOTED_TEXT, TEXT, Middles
from logship_gcp.cloud_logging.payloads import glog_severities_of
from logship_gcp.cloud_logging.row_times import latest_sure
from logship_gcp.cloud_logging.special import Reader

if TYPE_CHECKING:
    from logship.rows._kernel import Table

MAX_ESCAPE = 6
"""Bytes of JSON that one byte of text may need."""
_BOTH = ("stdout", "stderr")


class PureEncoder(Protocol):
    """What is asked of `entries.Encoder`."""

    rows: Rows
    digest: str
    reader: Reader
    middles: Middles
    room: int
    times: Sequence[str]
    labels: dict[int, dict[str, str]]

    def text_row(self, row: int, severity: str | None, kind: bytes) -> tuple[bytes, bytes]: ...
    def object_row(
        self, row: int, fields: JsonObject
    ) -> tuple[bytes, bytes, str | None, str | None]: ...


def plain_texts(
    batch: Batch, middles: Middles, reader: Reader, room: int, now_ns: int
) -> bytes | None:
    """The entries of rows that are all plain text, as most small batches are; else None.

    What `by_table` does, without making anything that only other rows need.
    """
    rows = batch.rows
    table = rows.table
    if table is None or rows.given_ids or rows.elsewhere or rows.marks or not told_by_texts(rows):
        return None
    brace, glog, longest = table.survey()
    if (brace and parses(reader, rows)) or glog or longest * MAX_ESCAPE > room:
        return None
    latest = table.latest_minute()
    if latest is None or latest >= latest_sure(now_ns):
        return None
    prefix = id_prefix(batch.origin.digest, rows.generation).encode()
    low = id_low(rows.generation)
    return kernel.entries(table, rows.offsets, prefix, low, _text_pair(middles), {})


def by_table(encoder: PureEncoder) -> bytes | None:
    """The entries, or None where the rows are not as the kernel left them."""
    rows = encoder.rows
    table = rows.table
    if table is None or encoder.times is not rows.times or rows.elsewhere or rows.given_ids:
        return None
    if not told_by_texts(rows):
        return None
    brace, glog, longest = table.survey()
    severities = glog_severities_of({row: rows.texts[row] for row in glog})
    special = _texts(encoder, table, severities, longest)
    prefix = id_prefix(encoder.digest, rows.generation).encode()
    texts = _pair(encoder.middles, QUOTED_TEXT)
    low = id_low(rows.generation)
    if not (brace and parses(encoder.reader, rows)):
        return kernel.entries(table, rows.offsets, prefix, low, texts, special)
    found = kernel.objects(table, encoder.reader.forms[encoder.middles.alone], _room(encoder))
    for row in (*encoder.labels, *found.rest):
        if row not in special:
            special[row] = _parsed(encoder, row)
    values = [_of_severity(encoder, key, text) for key, text in found.values]
    objects = _pair(encoder.middles, JSON)
    return kernel.entries(table, rows.offsets, prefix, low, texts, special, objects, values, found)


def parses(reader: Reader, rows: Rows) -> bool:
    """Whether texts that are objects become payloads: as the option says, or a transform."""
    return reader.json or rows.fields is not None


def _room(encoder: PureEncoder) -> int:
    """Bytes that an object may have."""
    fields = encoder.rows.fields
    return min(encoder.room, fields.max_chars) if isinstance(fields, Parsed) else encoder.room


def _pair(middles: Middles, kind: bytes, severity: str | None = None) -> tuple[bytes, bytes]:
    return middles.plain(kind, "stdout", severity), middles.plain(kind, "stderr", severity)


def _text_pair(middles: Middles) -> tuple[bytes, bytes]:
    pairs = middles.frame.text_pairs
    if (pair := pairs.get(middles.alone)) is None:
        pair = pairs[middles.alone] = _pair(middles, QUOTED_TEXT)
    return pair


def _texts(
    encoder: PureEncoder, table: "Table", severities: Mapping[int, str], longest: int
) -> dict[int, kernel.Special]:
    """Texts that need more than escaping."""
    streams = encoder.rows.streams
    special: dict[int, kernel.Special] = {
        row: (encoder.middles.plain(QUOTED_TEXT, streams[row], severity), None, None, None)
        for row, severity in severities.items()
    }
    own = set(encoder.labels)
    if longest * MAX_ESCAPE > encoder.room:
        own.update(table.longer(encoder.room // MAX_ESCAPE))
    for row in own:
        if not (parses(encoder.reader, encoder.rows) and encoder.rows.texts[row][:1] == "{"):
            special[row] = (*encoder.text_row(row, severities.get(row), TEXT), None, None)
    return special


def _of_severity(encoder: PureEncoder, key: int, text: bytes) -> kernel.Choice:
    """The middles of rows that have this severity, and whether its member leaves them."""
    name = encoder.reader.ordered_keys[key]
    severity, said = of_fields({name: orjson.loads(text)}, encoder.reader.severity_keys) or (
        None,
        "",
    )
    objects = _pair(encoder.middles, JSON, severity)
    return *objects, *_pair(encoder.middles, QUOTED_TEXT, severity), said == "severity"


def _parsed(encoder: PureEncoder, row: int) -> kernel.Special:
    """The pure way, for one row."""
    known = encoder.rows.fields
    fields = parse_object(encoder.rows.texts[row]) if known is None else known[row]
    if fields is None:
        return (*encoder.text_row(row, None, TEXT), None, None)
    middle, payload, time, insert_id = encoder.object_row(row, fields)
    return middle, payload, _bytes(time), _bytes(insert_id)


def _bytes(text: str | None) -> bytes | None:
    """As JSON has it between quotes."""
    return None if text is None else orjson.dumps(text)[1:-1]
