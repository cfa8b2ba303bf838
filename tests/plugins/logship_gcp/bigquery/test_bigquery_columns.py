"""What columns a row fills: the extraction, the conversion to Arrow, the table's own SQL."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import MAX_EXTRACTORS, Extractor, Extractors
from logship_gcp.bigquery.labels import label_column
from logship_gcp.bigquery.own_time import known_times
from logship_gcp.bigquery.schema import COLUMNS, TableName, view_sql
from logship_gcp.bigquery.target import Targets

from logship.api import Batch, Rows, time_ns
from logship.severity import of_row
from logship.testing import GENERATION, origin_of, texts_batch

EXTRACTOR = Extractor()
INGEST_NS = 1_795_409_199_123_456_789


def extracted(text: str, stream: str = "stdout") -> dict[str, Any]:
    found = EXTRACTOR.columns([text], [stream])
    return {
        "severity": found.severities[0],
        "message": found.messages[0],
        "payload": found.payloads[0],
        "event_time": known_times(found.event_times)[0],
        "trace": found.traces[0],
        "span_id": found.span_ids[0],
    }


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ('{"message":"a","msg":"b"}', "message", "a"),
        ('{"msg":"b"}', "message", "b"),
        ('{"log":"c"}', "message", "c"),
        ('{"message":{"a":1},"msg":"b"}', "message", "b"),
        ('{"a":1}', "message", None),
        ("plain", "message", "plain"),
        ('{"severity":"warn"}', "severity", "WARNING"),
        ('{"severity":400}', "severity", "WARNING"),
        ('{"level":30}', "severity", "INFO"),
        ('{"level":"fatal"}', "severity", "CRITICAL"),
        ('{"severity":"no such","level":"error"}', "severity", "ERROR"),
        ('{"time":"2026-11-23T04:46:30Z"}', "event_time", "2026-11-23T04:46:30Z"),
        ('{"time":"yesterday"}', "event_time", None),
        ('{"time":1795409191}', "event_time", "2026-11-23T04:46:31.000000000Z"),
        ('{"time":1795409191123}', "event_time", "2026-11-23T04:46:31.123000000Z"),
        ('{"ts":1795409191.5}', "event_time", "2026-11-23T04:46:31.500000000Z"),
        ('{"time":true}', "event_time", None),
        ('{"timestamp":{"seconds":1795409191,"nanos":7}}', "event_time",
         "2026-11-23T04:46:31.000000007Z"),
        ('{"timestampSeconds":"1795409191","timestampNanos":7}', "event_time",
         "2026-11-23T04:46:31.000000007Z"),
        ('{"timestamp":{"seconds":[],"nanos":7}}', "event_time", None),
        ('{"logging.googleapis.com/trace":"projects/p/traces/t"}', "trace", "projects/p/traces/t"),
        ('{"traceId":"t"}', "trace", "t"),
        ('{"spanId":"s"}', "span_id", "s"),
        ('{"a":1}trailing', "payload", None),
        ('{"a":01}', "payload", None),
        ("[1]", "payload", None),
    ],
)  # fmt: skip
def test_a_column_of_a_text(text: str, column: str, value: object) -> None:
    assert extracted(text)[column] == value


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
keys = st.sampled_from(
    ["severity", "level", "message", "msg", "time", "timestamp", "trace", "span_id", "other",
     "timestampSeconds", "timestampNanos"]
)  # fmt: skip
texts = (
    st.dictionaries(keys, json_values, max_size=4).map(json.dumps)
    | st.text(st.characters(codec="utf-8"))
    | st.text(st.sampled_from('{}[]":,a1 \\'), max_size=20).map("{".__add__)
)


@given(st.lists(texts, max_size=5), st.sampled_from(["stdout", "stderr"]))
def test_rows_have_the_severity_of_cloud_logging_and_only_json_has_a_payload(
    rows: list[str], stream: str
) -> None:
    found = EXTRACTOR.columns(rows, [stream] * len(rows))
    for text, severity, payload in zip(rows, found.severities, found.payloads, strict=True):
        try:
            fields = orjson.loads(text) if text[:1] == "{" else None
        except orjson.JSONDecodeError:
            fields = None
        assert payload == (text if fields is not None else None)
        assert severity == of_row(text, stream, fields)


@pytest.mark.parametrize("between", ['""', '"x"', "0", "{}", ""])
def test_a_text_cannot_swallow_its_neighbour_or_stand_for_two(between: str) -> None:
    rows = ['{"a":[1', '{"b":2}]}', f'{{"c":1}},{between},{{"d":2}}', '{"message":"mine"}']
    found = EXTRACTOR.columns(rows, ["stdout"] * 4)
    assert found.payloads == [None, None, None, rows[3]]
    assert found.messages == [*rows[:3], "mine"]


@given(st.lists(texts, max_size=5))
def test_whatever_a_text_is_arrow_takes_it(rows: list[str]) -> None:
    found = convert(rows_batch(rows), range(len(rows)), EXTRACTOR, INGEST_NS)
    assert found.refused == []
    assert sum(len(part.rows) for part in found.taken) == len(rows)


def rows_batch(texts: list[str], times: list[str] | None = None) -> Batch:
    count = len(texts)
    rows = Rows(
        GENERATION,
        range(count),
        times or ["2026-11-23T04:46:31.000000001Z"] * count,
        ["stdout"] * count,
        texts,
    )
    return texts_batch(["x"]).with_rows(rows)


time_texts = st.builds(
    lambda moment, nanos, zone: moment.strftime(f"%04Y-%m-%dT%H:%M:%S{nanos}{zone}"),
    st.datetimes(),
    st.just("") | st.integers(1, 9).flatmap(
        lambda size: st.text("0123456789", min_size=size, max_size=size).map(".".__add__)
    ),
    st.sampled_from(["Z", "+00:00", "+05:30", "-08:00"]),
).filter(lambda text: "0001-01-02" < text < "9999-12-30")  # fmt: skip


@given(st.lists(time_texts, min_size=1, max_size=4))
def test_a_time_is_split_into_microseconds_and_the_rest(times: list[str]) -> None:
    found = convert(rows_batch(["x"] * len(times), times), range(len(times)), EXTRACTOR, INGEST_NS)
    columns = found.taken[0].columns
    micros = columns["timestamp"].cast("int64").to_pylist()
    nanos = columns["nanos"].to_pylist()
    assert [m * 1000 + n for m, n in zip(micros, nanos, strict=True)] == list(map(time_ns, times))
    assert all(0 <= n < 1000 for n in nanos)


def test_event_times_that_parse_stand_beside_others_that_do_not() -> None:
    batch = rows_batch(
        [
            '{"time":"2026-11-23T04:46:30Z"}',
            '{"time":"noon"}',
            "x",
            '{"time":"3000-01-01T00:00:00Z"}',
        ]
    )
    found = convert(batch, range(4), EXTRACTOR, INGEST_NS).taken[0].columns["event_time"]
    assert [t and t.year for t in found.to_pylist()] == [2026, None, None, 3000]


def test_a_line_without_a_time_has_that_of_its_file() -> None:
    batch = rows_batch(["x"], [""])
    batch.mtime_ns = 1_795_409_191_123_456_789
    columns = convert(batch, [0], EXTRACTOR, INGEST_NS).taken[0].columns
    assert columns["nanos"].to_pylist() == [789]


def test_a_row_that_arrow_cannot_hold_is_found_by_halving() -> None:
    texts = [f"{n}" for n in range(20)]
    texts[3], texts[17] = "\ud800", "\udfff"
    found = convert(rows_batch(texts), range(20), EXTRACTOR, INGEST_NS)
    assert sorted(row for row, _ in found.refused) == [3, 17]
    taken = [row for part in found.taken for row in part.rows]
    assert sorted(taken) == [n for n in range(20) if n not in (3, 17)]


def test_arrow_has_the_columns_of_the_table_in_their_order() -> None:
    assert SCHEMA.names == [column.name for column in COLUMNS]


def test_the_sql_of_the_dedup_view() -> None:
    assert view_sql(TableName("p", "logs", "app")) == (
        "SELECT *\n"
        "FROM `p.logs.app`\n"
        "WHERE TRUE\n"
        "QUALIFY ROW_NUMBER() OVER (\n"
        "  PARTITION BY DATE(timestamp), insert_id\n"
        "  ORDER BY ingest_time\n"
        ") = 1"
    )


def tables(batch: Batch, table: str, allow: list[str], otherwise: str = "rest") -> list[str]:
    targets = Targets("p", "logs", table, allow, otherwise)
    found = {row: name.table for name, rows in targets.group(batch).items() for row in rows}
    return [found[row] for row in range(len(batch.rows))]


def test_characters_that_a_table_cannot_have_become_underscores() -> None:
    batch = texts_batch(["x"], origin_of(namespace="kube-system"))
    assert tables(batch, "n_{namespace}", ["n_kube_system"]) == ["n_kube_system"]


def test_rows_whose_table_is_not_allowed_or_not_known_go_otherwise() -> None:
    batch = texts_batch(
        ['{"e":{"t":"a"}}', '{"e":{"t":"b"}}', '{"e":{"t":1}}', '{"e":"t"}', "x", '{"e":{"t":""}}']
    )
    assert tables(batch, "t_{json.e.t}", ["t_a"]) == ["t_a", *["rest"] * 5]


def test_a_glob_does_not_let_a_log_make_tables_without_end() -> None:
    batch = texts_batch([json.dumps({"e": f"x{n}"}) for n in range(600)])
    found = tables(batch, "t_{json.e}", ["t_*"])
    assert len(set(found)) == 501
    assert found[-1] == "rest"


def test_the_owner_of_a_pod_is_among_the_labels() -> None:
    more = {"label:app": "web", "owner_kind": "Deployment", "owner_name": "cart"}
    labels = label_column(texts_batch(["a"], origin_of(more=more)))
    assert labels is not None
    assert orjson.loads(labels) == {
        "app": "web", "logship/owner_kind": "Deployment", "logship/owner_name": "cart",
    }  # fmt: skip


def test_the_severity_keys_of_an_origin_go_before_those_of_the_sink() -> None:
    extractors = Extractors()
    batch = texts_batch(['{"prio":"warn","level":"error"}'])
    asked = texts_batch(batch.rows.texts, origin_of(more={"severity_keys": "prio,level"}))
    for one, severity in ((batch, "ERROR"), (asked, "WARNING")):
        found = extractors.of(one).columns(one.rows.texts, one.rows.streams)
        assert found.severities == [severity]
        (part,) = convert(one, [0], extractors.of(one), INGEST_NS).taken
        assert part.columns.column("severity").to_pylist() == [severity]
    assert extractors.of(asked) is extractors.of(asked)
    assert extractors.of(batch) is extractors.of(texts_batch(["b"]))
    for number in range(200):
        extractors.of(texts_batch(["a"], origin_of(more={"severity_keys": f"key{number}"})))
    assert len(extractors._others) <= MAX_EXTRACTORS
