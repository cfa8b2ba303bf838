"""The sink against the sandbox, which has Google's limits: what was accepted can be read again."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import orjson
from logship_gcp.cloud_logging import CloudLogging, CloudLoggingConfig

from logship.api import DELIVERED, Altered, Batch, Outcome
from logship_sandbox.faults import Fault
from logship_sandbox.server import Options, Sandbox
from tests.plugins.logship_gcp.cloud_logging.batches import (
    TIME,
    cri,
    make_batch,
    make_context,
    run_bounded,
)


@asynccontextmanager
async def sandboxed() -> AsyncIterator[tuple[CloudLogging, Sandbox]]:
    sandbox = Sandbox(Options(bigquery=False))
    await sandbox.start()
    endpoint = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"]
    options = {"project": "p-1", "location": "l-1", "cluster": "c-1", "endpoint": endpoint}
    sink = CloudLogging(msgspec.convert(options, CloudLoggingConfig), make_context())
    await sink.start()
    try:
        yield sink, sandbox
    finally:
        await sink.close()
        sink.context.world.offload.close()
        await sandbox.close()


async def listed(sandbox: Sandbox) -> list[dict[str, Any]]:
    url = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"] + "/v2/entries:list"
    query = {"resourceNames": ["projects/p-1"], "pageSize": 1000}
    async with aiohttp.ClientSession() as session, session.post(url, json=query) as response:
        entries: list[dict[str, Any]] = (await response.json())["entries"]
        return entries


def written(batches: Sequence[Batch], fault: Fault | None = None) -> tuple[Outcome, list[Any], Any]:
    async def run() -> tuple[Outcome, list[Any], Any]:
        async with sandboxed() as (sink, sandbox):
            sandbox.faults.set("logging", fault or Fault())
            outcome = await sink.write(batches)
            sandbox.faults.clear()
            return outcome, await listed(sandbox), sandbox.logging.counts

    return run_bounded(run())


def test_what_is_written_can_be_read() -> None:
    batches = [
        make_batch(cri("text", '{"severity":"ALERT","a":1}'), key="a"),
        make_batch(cri("err", stream="stderr"), key="b"),
    ]
    outcome, entries, _ = written(batches)
    assert outcome == DELIVERED
    assert {entry["insertId"] for entry in entries} == {*batches[0].ids(), *batches[1].ids()}
    assert sorted(entry["severity"] for entry in entries) == ["ALERT", "ERROR", "INFO"]
    assert all(entry["timestamp"] == TIME for entry in entries)
    assert all("logship/version" in entry["labels"] for entry in entries)


def test_hostile_rows_are_all_accepted_in_one_request() -> None:
    deep = '{"a":' * 500 + "1" + "}" * 500
    rows = [
        "\x00\x01", '{"a":"\\ud800"}', '{"a":1,"a":2}', deep, "[" * 200 + "]" * 200, "x" * 250_000,
        '{"a":"' + "y" * 250_000 + '"}', '{"a":[' + "[" * 90 + "]" * 90 + "]}",
        '{"time":"9999-12-31T23:59:59Z"}',
        '{"httpRequest":{"status":1e99,"latency":"x"}}',
        '{"logging.googleapis.com/labels":{"":""}}',
        '{"a":1e308,"b":-1e308}', '",', "\ufffd", '{"":{"":[]}}', '{"@type":"x","a":1}',
    ]  # fmt: skip
    outcome, entries, counts = written([make_batch(cri(*rows))])
    assert outcome == Outcome(altered=(Altered(2, "split"),))
    firsts = [entry for entry in entries if entry.get("split", {}).get("index", 0) == 0]
    assert len(firsts) == len(rows)
    assert counts.requests == 2  # the write and the list
    assert counts.refused == 0


def test_a_pod_with_a_hundred_labels_is_accepted() -> None:
    labels = {"namespace": "n", "pod": "p", "container": "c", "node": "x"}
    labels |= {f"label:l{number}": "v" * 63 for number in range(100)}
    many = {f"own{number}": "v" for number in range(100)}
    own = orjson.dumps({"logging.googleapis.com/labels": many, "a": 1}).decode()
    outcome, entries, _ = written([make_batch(cri(own, "text"), labels)])
    assert outcome == DELIVERED
    assert all(len(entry["labels"]) <= 64 for entry in entries)


def test_labels_that_are_larger_than_an_entry_are_left_out() -> None:
    extra = {"note": "n" * 100_000, "more": "m" * 100_000, "team": "a"}
    outcome, (entry,), counts = written([make_batch(cri("x" * 100_000), extra=extra)])
    assert outcome == DELIVERED
    assert counts.refused == 0
    assert entry["labels"]["team"] == "a"
    assert "more" not in entry["labels"]
    assert "note" in entry["labels"]


def test_entries_that_the_project_may_not_write_come_again() -> None:
    batch = make_batch(cri(*(f"row {number}" for number in range(100))))
    outcome, entries, _ = written([batch], Fault(partial_every=5))
    assert outcome.refused == ()
    again = {row for item in outcome.again for row in item.rows or ()}
    assert again
    assert {entry["insertId"] for entry in entries} == {
        row_id for row, row_id in enumerate(batch.ids()) if row not in again
    }
