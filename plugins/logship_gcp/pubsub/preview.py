"""Messages as a subscriber would get them, row by row.

A row of a block shares its message, and so its attributes, with others; the block is packed and
unpacked, as the loader does it.
"""

from collections.abc import Sequence

import orjson

from logship.api import Batch, Preview
from logship_gcp import block_format
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.pubsub import outgoing, record


def of_block(batch: Batch, message_format: str) -> Sequence[Preview]:
    if batch.is_empty():
        return []
    unpacked = block_format.decode(block_format.encode(batch))
    shared = outgoing.attribute_values(batch.labels, batch.route, message_format)
    labels = {**unpacked.labels.prefixed("label:"), **unpacked.extra}
    return [
        Preview(row, {"attributes": shared, "data": text}, labels=labels)
        for row, text in enumerate(unpacked.rows.texts)
    ]


def of_records(
    batch: Batch, extractor: Extractor, json_columns: record.JsonColumns, now_ns: int
) -> Sequence[Preview]:
    shared = outgoing.attribute_values(batch.labels, batch.route, record.FORMAT)
    labels = {**batch.labels.prefixed("label:"), **batch.extra}
    found = []
    for row, (row_id, body) in enumerate(
        record.encode_rows(batch, extractor, json_columns, now_ns)
    ):
        columns = orjson.loads(body)
        sent = {"attributes": {**shared, "insert_id": row_id}, "data": columns}
        found.append(Preview(row, sent, columns.get("severity", ""), labels))
    return found
