"""A row of the agent's own comes through every sink as what it is."""

from typing import Any

import orjson
from logship_gcp import block_format
from logship_gcp.bigquery.arrow import convert
from logship_gcp.bigquery.extract import Extractors
from logship_gcp.pubsub.record import encode_rows

from logship.notice import notice
from logship.testing import START_NS, origin_of
from tests.plugins.logship_gcp.cloud_logging.batches import kept_entries, make_encoder

MADE = notice(origin_of(), "annotation", "x", "logship: look here", START_NS)
(ID,) = MADE.ids()
TIME = "2026-11-23T04:46:31.000000000Z"


def test_in_cloud_logging_it_is_a_warning_with_a_label() -> None:
    (request,) = make_encoder(json="never").requests([MADE], START_NS)
    (entry,) = kept_entries(request)
    assert entry["textPayload"] == "logship: look here"
    assert (entry["severity"], entry["timestamp"], entry["insertId"]) == ("WARNING", TIME, ID)
    assert entry["labels"]["logship/notice"] == "annotation"


def test_in_bigquery_and_in_a_record_too() -> None:
    extractor = Extractors().of(MADE)
    (part,) = convert(MADE, [0], extractor, START_NS).taken
    (row,) = part.columns.to_pylist()
    ((_, body),) = encode_rows(MADE, extractor, "text", START_NS)
    record: dict[str, Any] = orjson.loads(body)
    for found in (row, record):
        assert (found["severity"], found["message"]) == ("WARNING", "logship: look here")
        assert found["insert_id"] == ID
        assert orjson.loads(found["labels"])["logship/notice"] == "annotation"


def test_in_a_block_it_comes_to_the_loader_as_it_was() -> None:
    came = block_format.decode(block_format.encode(MADE))
    assert came.ids() == [ID]
    assert list(came.rows.texts) == list(MADE.rows.texts)
    assert list(came.rows.times) == [TIME]
    assert came.extra == MADE.extra
