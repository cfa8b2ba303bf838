"""What `preview` shows is what is published."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from logship_gcp import block_format
from logship_gcp.pubsub.sink import PubsubSink

from logship.api import Batch, Preview
from logship.testing import origin_of, texts_batch

Run = Callable[..., Any]
TEXTS = ["text", '{"level":"warn","message":"m","trace_id":"t"}', '{"time":"2026-01-01T00:00:00Z"}']


def routed() -> Batch:
    batch = texts_batch(TEXTS, origin_of(more={"label:app": "cart"}))
    batch.route = "app"
    batch.extra = {"env": "prod"}
    return batch


def shown_and_sent(with_sink: Run, publisher: Any, **options: str) -> list[Preview]:
    async def use(sink: PubsubSink) -> list[Preview]:
        shown = list(sink.preview(routed()))
        await sink.write([routed()])
        return shown

    found: list[Preview] = with_sink(publisher, use, **options)
    return found


@pytest.mark.parametrize("json_columns", ["text", "value"])
def test_records_are_shown_as_they_are_published(
    json_columns: str, with_sink: Run, publisher: Any
) -> None:
    options = {"format": "record", "json_columns": json_columns}
    shown = shown_and_sent(with_sink, publisher, **options)
    sent = [(dict(m.attributes), orjson.loads(m.data)) for m in publisher.messages]
    for _, record in sent:
        del record["ingest_time"]  # the time of each encoding
    for preview in shown:
        del preview.sent["data"]["ingest_time"]  # type: ignore[attr-defined]
    assert [(p.sent["attributes"], p.sent["data"]) for p in shown] == sent
    assert [preview.severity for preview in shown] == ["INFO", "WARNING", "INFO"]
    assert {str(preview.labels) for preview in shown} == {"{'app': 'cart', 'env': 'prod'}"}


def test_rows_of_a_block_are_shown_with_its_attributes(with_sink: Run, publisher: Any) -> None:
    shown = shown_and_sent(with_sink, publisher)
    (message,) = publisher.messages
    assert [p.sent["attributes"] for p in shown] == [dict(message.attributes)] * 3
    assert [p.sent["data"] for p in shown] == list(block_format.decode(message.data).rows.texts)
