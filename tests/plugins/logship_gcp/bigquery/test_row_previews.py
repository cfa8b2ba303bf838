"""What `preview` shows is what stands in the table."""

from collections.abc import Callable
from typing import Any

import orjson
from logship_gcp.bigquery.sink import BigQuerySink

from logship.api import Batch, Preview
from logship.testing import origin_of, texts_batch

TEXTS = ['{"kind":"a","severity":"ALERT","message":"m"}', '{"kind":"b"}', "text"]


def batch() -> Batch:
    return texts_batch(TEXTS, origin_of(more={"label:app": "cart"}))


async def show_and_write(sink: BigQuerySink) -> list[Preview]:
    shown = list(sink.preview(batch()))
    await sink.write([batch()])
    return shown


def test_rows_are_shown_as_they_stand_in_their_tables(
    with_sink: Callable[..., Any], warehouse: Any
) -> None:
    options = {"table": "of_{json.kind}", "allow": ("of_a",), "otherwise": "rest"}
    shown = with_sink(show_and_write, **options)
    assert [p.sent["table"] for p in shown] == ["logs.of_a", "logs.rest", "logs.rest"]
    for table, previews in (("logs.of_a", shown[:1]), ("logs.rest", shown[1:])):
        assert [as_stored(row) for row in warehouse.rows(table)] == [
            {**p.sent["row"], "ingest_time": None} for p in previews
        ]
    assert [p.severity for p in shown] == ["ALERT", "INFO", "INFO"]
    assert shown[0].labels == {"app": "cart"}


def as_stored(row: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in row.items() if value is not None}
    found["timestamp"] = found["timestamp"].isoformat().replace("+00:00", "Z")
    for name in ("payload", "labels"):
        if isinstance(found.get(name), str):
            found[name] = orjson.loads(found[name])
    return {**found, "ingest_time": None}
