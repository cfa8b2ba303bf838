"""Rows as they would stand in their tables: the very columns that would be appended."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from logship.api import Batch, Preview
from logship_gcp.bigquery.arrow import convert
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.schema import COLUMNS, TableName
from logship_gcp.bigquery.target import Targets

_JSON = frozenset(column.name for column in COLUMNS if column.type == "JSON")


def previews(batch: Batch, targets: Targets, extractor: Extractor, now_ns: int) -> list[Preview]:
    found = []
    for table, numbers in targets.group(batch).items():
        conversion = convert(batch, numbers, extractor, now_ns)
        for part in conversion.taken:
            rows = zip(part.rows, part.columns.to_pylist(), strict=True)
            found += [_preview(row, table, columns) for row, columns in rows]
        found += [Preview(row, {"refused": reason}) for row, reason in conversion.refused]
    return sorted(found, key=lambda preview: preview.row)


def _preview(row: int, table: TableName, columns: Mapping[str, object]) -> Preview:
    shown = {name: _shown(name, value) for name, value in columns.items() if value is not None}
    sent: dict[str, object] = {"table": f"{table.dataset}.{table.table}", "row": shown}
    labels = shown.get("labels")
    own = {str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {}
    return Preview(row, sent, str(shown.get("severity", "")), own)


def _shown(name: str, value: object) -> object:
    """Columns of JSON as what they hold; times as texts."""
    if name in _JSON and isinstance(value, str):
        return orjson.loads(value)
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
