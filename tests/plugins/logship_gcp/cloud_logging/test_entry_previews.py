"""What `preview` shows is what Cloud Logging stores."""

from typing import Any

import pytest

from logship.api import Batch, Cutting, Preview, time_ns
from tests.plugins.logship_gcp.cloud_logging.batches import cri, make_batch, run_bounded
from tests.plugins.logship_gcp.cloud_logging.test_against_sandbox import sandboxed

OBJECT = '{"severity":"ALERT","message":"m","a":1,"logging.googleapis.com/labels":{"own":"1"}}'
BATCHES = {
    "texts": make_batch(cri("one", "two")),
    "objects": make_batch(cri(OBJECT, "text", '{"message":"only"}', '{"level":"warn","b":[]}')),
    "stderr": make_batch(cri("err", stream="stderr"), extra={"env": "prod"}),
    "a large row in parts": make_batch(
        cri("small", "x" * 600_000), cutting=Cutting(max_row_bytes=1 << 20)
    ),
    "a file": make_batch(b"plain\n", {"path": "/var/log/a", "node": "n"}),
}


def stored_and_shown(batch: Batch) -> tuple[list[dict[str, Any]], list[Preview]]:
    async def run() -> tuple[list[dict[str, Any]], list[Preview]]:
        async with sandboxed() as (sink, sandbox):
            shown = list(sink.preview(batch))
            await sink.write([batch])
            return [dict(entry) for entry in sandbox.logging.store.entries()], shown

    return run_bounded(run())


@pytest.mark.parametrize("name", BATCHES)
def test_entries_are_shown_as_they_are_stored(name: str) -> None:
    stored, shown = stored_and_shown(BATCHES[name])
    for entry in stored:
        del entry["receiveTimestamp"]
    for entry in (*stored, *(preview.sent for preview in shown)):
        entry["timestamp"] = time_ns(str(entry["timestamp"]))  # stored without trailing zeros
    assert [preview.sent for preview in shown] == stored
    severities = [entry.get("severity", "DEFAULT") for entry in stored]
    assert [preview.severity for preview in shown] == severities
    assert [preview.labels for preview in shown] == [e.get("labels", {}) for e in stored]


def test_the_parts_of_a_row_are_shown_under_its_number() -> None:
    _, shown = stored_and_shown(BATCHES["a large row in parts"])
    assert [preview.row for preview in shown] == [0, *[1] * (len(shown) - 1)]
    assert len(shown) > 3
