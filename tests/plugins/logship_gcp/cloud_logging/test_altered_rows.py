"""The sink tells which rows are written otherwise than they are: only those that are written."""

from typing import Any, Literal

import pytest
from aiohttp import web

from logship.api import DELIVERED, Altered, Outcome
from tests.plugins.logship_gcp.cloud_logging.batches import cri
from tests.plugins.logship_gcp.cloud_logging.misbehaving import PARTIAL, error, written
from tests.plugins.logship_gcp.cloud_logging.test_oversize import LONG, make_batch

OBJECT = '{"a":1,"b":2,"c":"' + "y" * 300_000 + '"}'


async def takes_all(body: dict[str, Any]) -> web.Response:
    return web.json_response({})


@pytest.mark.parametrize(("oversize", "how"), [("cut", "shortened"), ("split", "split")])
def test_rows_that_are_too_large_are_told_once_each(
    oversize: str, how: Literal["shortened", "split"]
) -> None:
    batches = [make_batch(cri("a", LONG, OBJECT)), make_batch(cri(LONG, stream="stderr"), key="b")]
    outcome, _ = written(takes_all, batches, oversize=oversize)
    assert outcome == Outcome(altered=(Altered(3, how),))


def test_nothing_is_told_of_rows_that_fit() -> None:
    outcome, _ = written(takes_all, [make_batch(cri("a", '{"b":1,"c":2,"d":3}'))])
    assert outcome == DELIVERED


def test_nothing_is_told_of_a_row_that_is_refused() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        errors = {"0": {"code": 3, "message": "bad"}}
        return error(400, "bad", [{"@type": PARTIAL, "logEntryErrors": errors}])

    outcome, _ = written(answer, [make_batch(cri(LONG, "b", LONG))])
    assert isinstance(outcome, Outcome)
    assert [refused.row for refused in outcome.refused] == [0]
    assert outcome.altered == (Altered(1, "split"),)


def test_a_row_that_comes_again_is_told_when_it_is_written() -> None:
    async def answer(body: dict[str, Any]) -> web.Response:
        last = any(e.get("split", {}).get("index") == 3 for e in body["entries"])
        return error(503, "busy") if last else web.json_response({})

    batch = make_batch(cri("\x01" * 700_000, "b"))
    outcome, server = written(answer, [batch], max_request_bytes=2 << 20)
    assert isinstance(outcome, Outcome)
    assert len(server.bodies) > 1, "else this test shows nothing"
    assert outcome.again
    assert outcome.altered == ()
