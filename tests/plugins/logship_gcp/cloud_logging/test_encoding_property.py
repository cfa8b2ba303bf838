"""Whatever the rows are, the request is JSON, and equals what a plain encoder of dicts makes."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson
import pytest
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from logship.api import Batch, Mark, time_text
from logship.rows.encode import entries, escaped
from logship_sandbox.faults import Fault
from logship_sandbox.logging_schema import read_write_request
from logship_sandbox.logging_write import judge
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    LABELS,
    TIME,
    cri,
    kept_entries,
    make_batch,
    make_encoder,
)

NASTY = [
    "", '",', 'a",', '","', "\\", '\\"', '",\\', ',"', "{", "{}", "[", "\x00", "\u2028", "東", "🚢"
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(NASTY),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=30),
    st.builds("{}{}".format, st.text(NASTY[1], max_size=3), st.sampled_from(NASTY)),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
plain_objects = st.dictionaries(st.text(max_size=6).map("x".__add__), json_values, min_size=2)
lines = st.tuples(
    st.one_of(texts, plain_objects.map(lambda fields: orjson.dumps(fields).decode())),
    st.sampled_from(["stdout", "stderr"]),
    st.integers(0, 999_999_999),
)


def block_of(found: list[tuple[str, str, int]]) -> bytes:
    return b"".join(
        cri(text, stream=stream, time=time_text(FIRST_NS + nanos)) for text, stream, nanos in found
    )


def plainly_encoded(batch: Batch, entry_labels: dict[int, dict[str, str]]) -> list[dict[str, Any]]:
    """The reference: a dict a row."""
    resource = {
        "type": "k8s_container",
        "labels": {
            "project_id": "p-1", "location": "europe-west1", "cluster_name": "c-1",
            "namespace_name": "shop", "pod_name": LABELS["pod"], "container_name": "server",
        },
    }  # fmt: skip
    found = []
    for row, (text, stream, time, row_id) in enumerate(
        zip(batch.rows.texts, batch.rows.streams, batch.rows.times, batch.ids(), strict=True)
    ):
        entry: dict[str, Any] = {
            "logName": f"projects/p-1/logs/{stream}",
            "resource": resource,
            "labels": {
                "compute.googleapis.com/resource_name": "node-1", "k8s-pod/app": "cart",
                **entry_labels.get(row, {}),
            },
            "insertId": row_id,
            "timestamp": time,
            "severity": {"stdout": "INFO", "stderr": "ERROR"}[stream],
        }  # fmt: skip
        try:
            payload = orjson.loads(text) if text.startswith("{") else None
        except orjson.JSONDecodeError:
            payload = None
        entry.update({"textPayload": text} if payload is None else {"jsonPayload": payload})
        found.append(entry)
    return found


@given(st.lists(texts, max_size=20))
def test_escaped_texts_are_those_of_json(found: list[str]) -> None:
    assert escaped(found) == [orjson.dumps(text)[1:-1] for text in found]
    assert escaped(tuple(found)) == escaped(found)


def test_no_rows_are_no_entries() -> None:
    assert entries(b"", [], [], [], [], b"}") == b""


@given(st.lists(lines, min_size=1, max_size=20), st.data())
def test_request_equals_the_plain_encoding(found: list[tuple[str, str, int]], data: Any) -> None:
    batch = make_batch(block_of(found))
    marked = data.draw(st.sets(st.integers(0, len(found) - 1), max_size=3))
    if marked:
        marks = {row: Mark(unfinished=True) for row in marked}
        batch = batch.with_rows(replace(batch.rows, marks=marks))
    wanted = plainly_encoded(batch, {row: {"logship/unfinished": "true"} for row in marked})
    (request,) = make_encoder().requests([batch], FIRST_NS)
    assert kept_entries(request) == wanted
    for entry in wanted:
        json_format.ParseDict(entry, LogEntry.pb(LogEntry()))


@given(st.lists(st.lists(lines, min_size=1, max_size=5), min_size=2, max_size=4))
def test_shared_requests_keep_every_origin_apart(found: list[list[tuple[str, str, int]]]) -> None:
    batches = [
        make_batch(block_of(rows), key=f"c-1/{number}/server/0")
        for number, rows in enumerate(found)
    ]
    wanted = [entry for batch in batches for entry in plainly_encoded(batch, {})]
    (request,) = make_encoder().requests(batches, FIRST_NS)
    assert b'"resource":' not in request.body().partition(b'"entries":')[0]
    assert kept_entries(request) == wanted


@given(st.lists(texts, min_size=1, max_size=20))
def test_rows_of_older_generations_keep_their_ids(found: list[str]) -> None:
    batch = make_batch(cri(*found))
    older = batch.rows.generation._replace(time_ns=FIRST_NS - 5)
    batch = batch.with_rows(replace(batch.rows, elsewhere={0: older}))
    (request,) = make_encoder(json="never").requests([batch], FIRST_NS)
    assert [entry["insertId"] for entry in kept_entries(request)] == batch.ids()


@given(st.lists(texts, min_size=1, max_size=8))
def test_ids_that_came_with_the_rows_are_escaped(ids: list[str]) -> None:
    batch = make_batch(cri(*("text" for _ in ids)))
    batch = batch.with_rows(replace(batch.rows, given_ids=ids, streams=["odd"] * len(ids)))
    (request,) = make_encoder().requests([batch], FIRST_NS)
    found = kept_entries(request)
    assert [entry["insertId"] for entry in found] == ids
    assert {entry["logName"] for entry in found} == {"projects/p-1/logs/stdout"}


SPECIAL = [
    "severity", "level", "time", "timestamp", "timestampSeconds", "timestampNanos", "httpRequest",
    "message", "msg", "x", *(f"logging.googleapis.com/{name}" for name in (
        "http_request", "trace", "spanId", "trace_sampled", "traceSampled", "labels", "operation",
        "sourceLocation", "insertId")),
]  # fmt: skip
INNER = [
    "requestMethod", "requestSize", "status", "latency", "cacheHit", "seconds", "nanos", "id",
    "first", "file", "line", "logship/x", "",
]  # fmt: skip
scalars = st.one_of(
    json_values,
    st.sampled_from(["200", "ERROR", "1.5s", "true", TIME, "9999-12-31T23:59:59-23:59", "0" * 32]),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
special_objects = st.dictionaries(
    st.sampled_from(SPECIAL), scalars | st.dictionaries(st.sampled_from(INNER), scalars), min_size=1
)


@given(st.lists(special_objects, min_size=1, max_size=5))
def test_whatever_special_fields_say_every_row_is_taken(found: list[dict[str, Any]]) -> None:
    batch = make_batch(cri(*(orjson.dumps(fields).decode() for fields in found)))
    (request,) = make_encoder().requests([batch], FIRST_NS)
    judgement = judge(read_write_request(orjson.loads(request.body())), FIRST_NS, Fault())
    assert judgement.refused == {}
    assert len(judgement.accepted) == len(found)
    for entry in kept_entries(request):
        json_format.ParseDict(entry, LogEntry.pb(LogEntry()))


@given(st.lists(special_objects, min_size=1, max_size=5))
def test_parsing_leaves_the_fields_of_a_transform_as_they_are(found: list[dict[str, Any]]) -> None:
    batch = make_batch(cri(*("text" for _ in found)))
    batch = batch.with_fields(replace(batch.rows, fields=deepcopy(found)))
    kept = batch.rows
    make_encoder().requests([batch], FIRST_NS)
    assert kept.fields == found


@pytest.mark.parametrize("strange", [{1: 2}, {"a": {1}}, {"a": "\ud800"}, {"a": 2**70}])
def test_fields_that_json_has_no_form_for_are_shipped_as_the_text(strange: Any) -> None:
    for fields in (strange, {**strange, "logging.googleapis.com/trace": "x", "z": 1}):
        batch = make_batch(cri("the text"))
        batch = batch.with_fields(replace(batch.rows, fields=[fields]))
        (entry,) = kept_entries(make_encoder().requests([batch], FIRST_NS)[0])
        assert entry["textPayload"] == "the text"


def test_of_two_spellings_the_same_one_is_always_taken() -> None:
    fields = {
        "logging.googleapis.com/http_request": {"requestMethod": "PUT"},
        "httpRequest": {"requestMethod": "GET"},
    }
    for names in (list(fields), list(reversed(fields))):
        text = orjson.dumps({name: fields[name] for name in names}).decode()
        (entry,) = kept_entries(make_encoder().requests([make_batch(cri(text))], FIRST_NS)[0])
        assert entry["httpRequest"] == {"requestMethod": "GET"}
        assert entry["jsonPayload"] == {
            "logging.googleapis.com/http_request": {"requestMethod": "PUT"}
        }
