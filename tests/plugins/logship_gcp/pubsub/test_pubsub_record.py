"""A row as a JSON message and back."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.schema import COLUMNS
from logship_gcp.pubsub.record import decode_row, encode_rows, split_time

from logship.api import Batch, Mark, Rows, time_ns
from logship.testing import GENERATION, START_NS, origin_of, texts_batch

EXTRACTOR = Extractor()
plain = st.text(st.characters(codec="utf-8"), max_size=40)
objects = st.dictionaries(plain, plain | st.integers() | st.none(), max_size=4).map(json.dumps)
times = st.sampled_from(
    ["2026-11-23T04:46:31Z", "2026-11-23T04:46:31.5Z", "2026-11-23T04:46:31.123456789Z",
     "2026-11-23T04:46:31.123456789+05:30", "2026-11-23T04:46:31.1234567-08:00",
     "1969-12-31T23:59:59.999999999Z", "2026-11-23T04:46:31+02:00"]
)  # fmt: skip


def batch_with(texts: list[str], row_times: list[str], more: dict[str, str]) -> Batch:
    rows = Rows(
        GENERATION, range(len(texts)), row_times, ["stderr"] * len(texts), texts,
        marks={0: Mark(cut=True)},
    )  # fmt: skip
    return texts_batch(["x"], origin_of(more=more)).with_rows(rows)


@given(
    st.lists(st.tuples(plain | objects, times), min_size=1, max_size=4),
    st.dictionaries(plain.map("label:".__add__), plain, max_size=3),
    st.sampled_from(["text", "value"]),
)
def test_a_row_comes_back_from_its_message(
    rows: list[tuple[str, str]], more: dict[str, str], json_columns: Any
) -> None:
    batch = batch_with([text for text, _ in rows], [time for _, time in rows], more)
    found = encode_rows(batch, EXTRACTOR, json_columns, START_NS)
    for number, ((text, time), (row_id, body)) in enumerate(zip(rows, found, strict=True)):
        row = decode_row(body)
        assert row_id == batch.ids()[number]
        assert (row.text, row.stream, time_ns(row.time)) == (text, "stderr", time_ns(time))
        assert {k: v for k, v in row.labels.items() if k in more} == more
        assert row.labels["pod"] == "web-0"
        assert ("label:logship/cut" in row.labels) == (number == 0)


@given(plain | objects, times)
def test_a_message_has_only_columns_of_the_table_and_times_of_microseconds(
    text: str, time: str
) -> None:
    [(_, body)] = encode_rows(batch_with([text], [time], {}), EXTRACTOR, "text", START_NS)
    record = json.loads(body)
    assert record.keys() <= {column.name for column in COLUMNS}
    for name in ("timestamp", "event_time", "ingest_time"):
        if name in record:
            assert split_time(record[name]) == (record[name], 0)


def test_json_columns_are_strings_that_hold_json_or_values() -> None:
    batch = batch_with(['{"a":1}'], ["2026-11-23T04:46:31Z"], {"label:app": "x"})
    [(_, body)] = encode_rows(batch, EXTRACTOR, "text", START_NS)
    assert json.loads(body)["payload"] == '{"a":1}'
    assert json.loads(json.loads(body)["labels"]) == {"app": "x", "logship/cut": "true"}
    [(_, body)] = encode_rows(batch, EXTRACTOR, "value", START_NS)
    assert json.loads(body)["payload"] == {"a": 1}
    assert json.loads(body)["labels"] == {"app": "x", "logship/cut": "true"}


def test_a_lone_surrogate_does_not_stop_a_batch() -> None:
    [(_, body)] = encode_rows(
        batch_with(["a\ud800b"], ["2026-11-23T04:46:31Z"], {}), EXTRACTOR, "text", START_NS
    )
    assert decode_row(body).text == "a?b"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"timestamp":"noon","stream":"stdout"}', b"\xff",
     b'{"timestamp":"2026-11-23T04:46:31Z","stream":"out"}',
     b'{"timestamp":"2026-11-23T04:46:31Z","stream":"stdout","nanos":1000}',
     b'{"timestamp":"2026-11-23T04:46:31Z","stream":"stdout","labels":"x"}',
     b'{"timestamp":"2026-11-23T04:46:31Z","stream":"stdout","labels":"{\\"a\\":1}"}'],
)  # fmt: skip
def test_what_is_no_record_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a record"):
        decode_row(body)


@given(st.binary(max_size=60))
def test_hostile_bytes_are_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not a record"):
        decode_row(body)
