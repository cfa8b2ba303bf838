"""Which rows the sink says are refused: those that the server names, or that dividing finds."""

from typing import Any

import pytest
from aiohttp import web

from logship.api import DELIVERED, Outcome, Retry
from tests.plugins.logship_gcp.cloud_logging.batches import (
    cri,
    make_batch,
    rows_of,
)
from tests.plugins.logship_gcp.cloud_logging.misbehaving import PARTIAL, error, failing, written


def test_partial_errors_name_rows() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        errors = {
            "1": {"code": 3, "message": "bad entry"},
            "2": {"code": 7, "message": "may not"},
            "4": {"code": 8, "message": "too many"},
        }
        return error(400, "bad", [{"@type": PARTIAL, "logEntryErrors": errors}])

    batches = [make_batch(cri("a", "b"), key="x"), make_batch(cri("c", "d", "e"), key="y")]
    outcome, server = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1)]
    assert "bad entry" in outcome.refused[0].reason
    assert sorted((item.batch, tuple(item.rows or ())) for item in outcome.again) == [
        (1, (0,)), (1, (2,)),
    ]  # fmt: skip
    assert len(server.bodies) == 1


@pytest.mark.parametrize("poisoned", [0, 499, 500, 999])
def test_the_one_row_that_is_refused_without_a_name_is_found(poisoned: int) -> None:
    kept: set[str] = set()

    async def answer(body: dict[str, Any]) -> web.Response:
        texts = [entry["textPayload"] for entry in body["entries"]]
        if f"row {poisoned}." in texts:
            return error(400, "Invalid JSON payload received.")
        if not body.get("dryRun"):
            kept.update(texts)
        return web.json_response({})

    rows = [f"row {number}." for number in range(1000)]
    outcome, server = written(answer, [make_batch(cri(*rows))])
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, poisoned)]
    assert "Invalid JSON payload" in outcome.refused[0].reason
    assert outcome.again == ()
    assert kept == set(rows) - {f"row {poisoned}."}
    assert len(server.bodies) <= 2 + 2 * 10


def test_a_request_that_is_wrong_whatever_is_in_it_costs_no_row() -> None:
    outcome, server = written(failing(400, "no such project"), [make_batch(cri(*"abc"))])
    assert isinstance(outcome, Retry)
    assert "no such project" in outcome.reason
    assert [bool(body.get("dryRun")) for body in server.bodies] == [False, True]


def test_shared_requests_do_not_suspect_one_origin_for_another() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        bad = any(e["resource"]["labels"]["pod_name"] == "" for e in body["entries"])
        return error(400, "bad pod") if bad else web.json_response({})

    nameless = make_batch(cri("b", "c"), {"container": "x"}, key="y")
    batches = [make_batch(cri("a"), key="x"), nameless, make_batch(cri("d"), key="z")]
    outcome, _ = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert outcome.refused == ()
    assert {item.batch for item in outcome.again} == {1}
    assert all("whatever is in them" in item.reason for item in outcome.again)


def test_a_poisoned_row_of_a_shared_request_is_found() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        assert all("logName" in entry for entry in body["entries"])
        texts = [entry["textPayload"] for entry in body["entries"]]
        return error(400, "bad") if "poison" in texts else web.json_response({})

    batches = [make_batch(cri("a", "poison", "b"), key=key) for key in ("x", "y")]
    outcome, _ = written(answer, batches)
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1), (1, 1)]
    assert outcome.again == ()


def test_dividing_ends_when_all_rows_are_refused() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return web.json_response({}) if body.get("dryRun") else error(400, "bad")

    outcome, server = written(answer, [make_batch(cri(*map(str, range(1000))))])
    assert isinstance(outcome, Outcome)
    again = [row for item in outcome.again for row in item.rows or ()]
    assert sorted([*again, *(row for _, row in rows_of(outcome.refused))]) == list(range(1000))
    assert outcome.refused
    assert len(server.bodies) <= 257


def test_trouble_in_the_middle_of_dividing_is_for_later() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        texts = [entry["textPayload"] for entry in body["entries"]]
        if "poison" in texts:
            return error(400, "bad")
        return error(503, "busy") if "d" in texts else web.json_response({})

    outcome, _ = written(answer, [make_batch(cri("a", "poison", "c", "d"))])
    assert isinstance(outcome, Outcome)
    assert rows_of(outcome.refused) == [(0, 1)]
    assert [(item.batch, item.rows) for item in outcome.again] == [(0, [2, 3])]


def test_a_request_that_is_too_large_is_halved() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        return error(413, "too large") if len(body["entries"]) > 3 else web.json_response({})

    outcome, server = written(answer, [make_batch(cri(*"abcdefgh"))])
    assert outcome == DELIVERED
    assert sorted(len(body["entries"]) for body in server.bodies) == [2, 2, 2, 2, 4, 4, 8]
