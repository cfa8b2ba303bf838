"""Rows larger than an entry may be: several entries, one row."""

import itertools
from typing import Any

import orjson
import pytest
from aiohttp import web
from google.cloud.logging_v2.types import LogEntry
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.cloud_logging.oversize import PART_BYTES, part_id, parts

from logship.api import Altered, Batch, Cutting, Outcome
from tests.plugins.logship_gcp.cloud_logging.batches import (
    FIRST_NS,
    TIME,
    cri,
    kept_entries,
    make_encoder,
    rows_of,
)
from tests.plugins.logship_gcp.cloud_logging.batches import (
    make_batch as batch_of_default_size,
)
from tests.plugins.logship_gcp.cloud_logging.misbehaving import PARTIAL, error, written
from tests.plugins.logship_gcp.cloud_logging.test_against_sandbox import written as in_sandbox

LONG = "".join(f"{number:06d} 東 " for number in range(60_000))  # 660 kB


def make_batch(block: bytes, *args: Any, **options: Any) -> Batch:
    """With rows of up to 2 MiB."""
    cutting = Cutting("cri", 2 << 20)
    return batch_of_default_size(block, *args, cutting=cutting, **options)


def entries_of(batch: Batch, *others: Batch, **options: Any) -> list[dict[str, Any]]:
    requests = make_encoder(**options).requests([batch, *others], FIRST_NS)
    found = [entry for request in requests for entry in kept_entries(request)]
    for entry in found:
        json_format.ParseDict(entry, LogEntry.pb(LogEntry()))
    return found


def rejoined(entries: list[dict[str, Any]]) -> dict[str, str]:
    """By row id its text, parts put together as their `split` says."""
    texts: dict[str, str] = {}
    for entry in sorted(entries, key=lambda e: e["insertId"]):
        row_id = entry.get("split", {}).get("uid", entry["insertId"])
        texts[row_id] = texts.get(row_id, "") + entry["textPayload"]
    return texts


@given(st.text(max_size=60), st.integers(4, 20))
def test_parts_are_the_whole_text_in_whole_characters(text: str, max_bytes: int) -> None:
    found = list(parts(text, max_bytes))
    assert "".join(found) == text
    assert all(len(part.encode()) <= max_bytes for part in found)
    assert all(len(part.encode()) > max_bytes - 4 for part in found[:-1])


@pytest.mark.parametrize("count", [2, 10, 11, 120])
def test_ids_of_parts_sort_in_their_order_behind_the_first(count: int) -> None:
    ids = ["f" * 48, *(part_id("f" * 48, index, count) for index in range(1, count))]
    assert ids == sorted(set(ids))


def test_a_large_text_is_sent_in_parts_that_name_their_row() -> None:
    batch = make_batch(cri("before", LONG, "after", stream="stderr"))
    found = entries_of(batch)
    first, *split, last = found
    assert (first["textPayload"], last["textPayload"]) == ("before", "after")
    assert "".join(entry["textPayload"] for entry in split) == LONG
    row_id = batch.ids()[1]
    assert [entry["split"] for entry in split] == [
        {"uid": row_id, "index": n, "totalSplits": 4} for n in range(4)
    ]
    assert [entry["insertId"] for entry in split] == [row_id, *(f"{row_id}.{n}" for n in (1, 2, 3))]
    assert {(e["timestamp"], e["severity"], e["logName"]) for e in split} == {
        (TIME, "ERROR", "projects/p-1/logs/stderr")
    }
    assert all(len(entry["textPayload"].encode()) <= PART_BYTES for entry in split)
    assert "logship/cut" not in first["labels"]


def test_a_large_object_is_sent_as_its_text_with_what_its_special_fields_say() -> None:
    own = {"severity": "ALERT", "time": "2026-11-23T09:00:00Z", "x": LONG,
           "logging.googleapis.com/insertId": "mine",
           "logging.googleapis.com/labels": {"team": "a"}}  # fmt: skip
    text = orjson.dumps(own).decode()
    batch = make_batch(cri("before", text))
    found = entries_of(batch)[1:]
    row_id = batch.ids()[1]
    assert "".join(entry["textPayload"] for entry in found) == text
    assert [entry["insertId"] for entry in found[:2]] == ["mine", f"{row_id}.1"]
    assert {entry["timestamp"] for entry in found} == {"2026-11-23T09:00:00Z"}
    assert {entry["severity"] for entry in found} == {"ALERT"}
    assert all(entry["labels"]["team"] == "a" for entry in found)
    assert {entry["split"]["uid"] for entry in found} == {row_id}


def test_parts_of_a_shared_request_each_say_their_origin() -> None:
    batch = make_batch(cri(LONG), key="a")
    other = make_batch(cri("b"), {"container": "x", "pod": "other"}, key="b")
    found = entries_of(other, make_batch(cri("x"), key="c"), batch)
    split = [entry for entry in found if "split" in entry]
    assert len(split) == 4
    assert {entry["resource"]["labels"]["pod_name"] for entry in split} == {"cart-7d9f-x2x5z"}


def test_texts_of_control_characters_fit_into_requests() -> None:
    text = "\x01" * 900_000
    requests = make_encoder(max_request_bytes=2 << 20).requests([make_batch(cri(text))], FIRST_NS)
    assert all(request.size <= 2 << 20 for request in requests)
    found = [entry for request in requests for entry in kept_entries(request)]
    assert "".join(entry["textPayload"] for entry in found) == text


def test_cut_is_an_option() -> None:
    (entry,) = entries_of(make_batch(cri(LONG)), oversize="cut")
    assert entry["labels"]["logship/cut"] == "true"
    assert LONG.startswith(entry["textPayload"])
    assert "split" not in entry


def test_a_row_that_is_sent_twice_is_divided_at_the_same_places() -> None:
    plain = make_batch(cri(LONG))
    labelled = make_batch(cri(LONG), extra={"more": "y" * 1000})
    assert [e["textPayload"] for e in entries_of(plain)] == [
        e["textPayload"] for e in entries_of(labelled)
    ]


def test_the_sandbox_takes_every_part_and_the_row_is_one() -> None:
    batch = make_batch(cri("a", LONG, "b", LONG + "!", stream="stderr"))
    outcome, entries, counts = in_sandbox([batch])
    assert outcome == Outcome(altered=(Altered(2, "split"),))
    assert counts.refused == 0
    assert rejoined(entries) == dict(zip(batch.ids(), batch.rows.texts, strict=True))


def test_a_row_of_which_two_parts_are_refused_is_refused_once() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        errors = {str(n): {"code": 3, "message": "bad"} for n in (2, 3)}
        return error(400, "bad", [{"@type": PARTIAL, "logEntryErrors": errors}])

    outcome, _ = written(answer, [make_batch(cri("a", LONG, "b"))])
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1)]
    assert outcome.again == ()


def test_rows_are_found_by_halving_also_between_the_parts_of_one() -> None:
    kept: list[dict[str, Any]] = []

    async def answer(body: dict[str, Any]) -> web.Response:
        if any("poison" in entry["textPayload"] for entry in body["entries"]):
            return error(400, "opaque")
        if not body.get("dryRun"):
            kept.extend(body["entries"])
        return web.json_response({})

    for place in itertools.permutations(["a", LONG, "poison"]):
        kept.clear()
        batch = make_batch(cri(*place))
        outcome, _ = written(answer, [batch])
        assert isinstance(outcome, Outcome)
        assert rows_of(outcome.refused) == [(0, place.index("poison"))]
        assert outcome.again == ()
        wanted = dict(zip(batch.ids(), batch.rows.texts, strict=True))
        del wanted[batch.ids()[place.index("poison")]]
        assert rejoined(kept) == wanted


def test_a_row_of_which_a_part_must_wait_comes_again_whole() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        last = any(e.get("split", {}).get("index") == 3 for e in body["entries"])
        return error(503, "busy") if last else web.json_response({})

    batch = make_batch(cri("\x01" * 700_000, "b"))
    outcome, server = written(answer, [batch], max_request_bytes=2 << 20)
    assert isinstance(outcome, Outcome)
    assert len(server.bodies) > 1, "else this test shows nothing"
    again = [row for item in outcome.again for row in item.rows or ()]
    assert 0 in again
    assert len(again) == len(set(again))
