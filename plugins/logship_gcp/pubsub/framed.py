"""The records of a batch by the compiled kernel: the very bytes that `record` and `wire` make.

Each column is either the same in all rows, and written once here, or the kernel writes it from the
cells of `tabled`: no Python per row.
"""

import msgspec

from logship.api import Batch, kernel, time_text
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.labels import label_column, shared_columns
from logship_gcp.bigquery.schema import COLUMNS
from logship_gcp.bigquery.tabled import NUMBER, fields_of
from logship_gcp.pubsub import outgoing, wire
from logship_gcp.pubsub.record import JsonColumns, split_time

_encode = msgspec.json.Encoder().encode
_STRINGS = ("severity", "message", "stream", "trace", "span_id", "insert_id")
_ID_CHARS = 48


def frames_of(
    batch: Batch, extractor: Extractor, json_columns: JsonColumns, now_ns: int, attributes: bytes
) -> tuple[bytes, list[int]] | None:
    """(all messages as they stand in a PublishRequest, where each ends); None: not this way."""
    if batch.rows.marks or (found := fields_of(batch, extractor)) is None:
        return None
    try:
        pieces = _pieces(batch, json_columns, now_ns)
    except UnicodeEncodeError:  # a label with a lone surrogate
        return None
    tail = attributes + outgoing.insert_id_start(_ID_CHARS)
    return kernel.records(found, pieces, wire.MESSAGE_TAGS, tail)


def _pieces(batch: Batch, json_columns: JsonColumns, now_ns: int) -> list[kernel.Piece]:
    """In the order of the table's columns, as `record.Record` has them."""
    as_text = json_columns == "text"
    labels = label_column(batch)
    same: dict[str, object] = dict(shared_columns(batch))
    same["labels"] = labels if labels is None or as_text else msgspec.Raw(labels.encode())
    same["ingest_time"] = split_time(time_text(now_ns))[0]
    pieces: list[kernel.Piece] = []
    for column in COLUMNS:
        name = column.name
        start = (b"," if pieces else b"{") + _encode(name) + b":"
        if name in _STRINGS:
            pieces.append((start, "string", NUMBER[name]))
        elif name in ("timestamp", "event_time"):
            pieces.append((start, "micros", NUMBER[name]))
        elif name == "nanos":
            pieces.append((start, "nanos", NUMBER["timestamp"]))
        elif name == "payload":
            pieces.append((start, "string" if as_text else "value", NUMBER[name]))
        elif same[name] is not None:
            pieces.append((start + _encode(same[name]), "constant", 0))
    return [*pieces, (b"}", "constant", 0)]
