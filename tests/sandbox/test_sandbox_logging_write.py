"""entries:write: defaults, limits and partial errors, as real requests over HTTP."""

import gzip
import time
from collections.abc import Awaitable, Callable, Mapping

import orjson
import pytest
from google.cloud.logging_v2 import types
from google.protobuf import json_format

from logship_sandbox.client import Rest
from logship_sandbox.logging_limits import (
    ELLIPSIS,
    MAX_ENTRY_BYTES,
    MAX_LABEL_KEY_BYTES,
    MAX_LABEL_VALUE_BYTES,
    MAX_REQUEST_BYTES,
)
from logship_sandbox.logging_time import SECOND, format_time
from logship_sandbox.server import Sandbox

Run = Callable[[Callable[[Sandbox, Rest], Awaitable[None]]], None]
RESOURCE = {"type": "k8s_container", "labels": {"pod_name": "web-1"}}
LOG = "projects/p/logs/stdout"


def entry(**fields: object) -> dict[str, object]:
    return {"logName": LOG, "resource": RESOURCE, "textPayload": "x", **fields}


def write_and_list(run: Run, body: Mapping[str, object]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []

    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.write(body)
        assert answer.status == 200, answer.body
        found.extend((await rest.list()).entries)

    run(test)
    return found


def refused(run: Run, body: object) -> str:
    """The message of the 400 that `body` gets; nothing may be stored."""
    messages: list[str] = []

    async def test(sandbox: Sandbox, rest: Rest) -> None:
        answer = await rest.write(body)
        assert answer.status == 400
        assert answer.error["status"] == "INVALID_ARGUMENT"
        assert len(sandbox.logging.store) == 0
        messages.append(answer.message)

    run(test)
    return messages[0]


def test_request_defaults_fill_what_an_entry_lacks(with_sandbox: Run) -> None:
    body = {"logName": LOG, "resource": RESOURCE, "entries": [{"textPayload": "x"}]}
    (stored,) = write_and_list(with_sandbox, body)
    assert stored["logName"] == LOG
    assert stored["resource"] == RESOURCE


def test_request_defaults_do_not_override_an_entry(with_sandbox: Run) -> None:
    other = {"type": "global", "labels": {}}
    one = entry(logName="projects/p/logs/stderr", resource=other)
    body = {"logName": LOG, "resource": RESOURCE, "entries": [one]}
    (stored,) = write_and_list(with_sandbox, body)
    assert stored["logName"] == "projects/p/logs/stderr"
    assert stored["resource"] == other


def test_request_labels_are_added_and_an_entrys_own_stay(with_sandbox: Run) -> None:
    body = {"labels": {"a": "request", "b": "request"}, "entries": [entry(labels={"a": "entry"})]}
    (stored,) = write_and_list(with_sandbox, body)
    assert stored["labels"] == {"a": "entry", "b": "request"}


def test_missing_timestamp_and_insert_id_are_generated(with_sandbox: Run) -> None:
    before = format_time(time.time_ns())[:10]
    (stored,) = write_and_list(with_sandbox, {"entries": [entry()]})
    assert str(stored["timestamp"])[:10] >= before
    assert stored["insertId"]


@pytest.mark.parametrize("missing", ["logName", "resource"])
def test_an_entry_without_log_name_or_resource_is_refused(with_sandbox: Run, missing: str) -> None:
    one = entry()
    del one[missing]
    assert "missing" in refused(with_sandbox, {"entries": [one]})


def test_an_empty_request_is_refused(with_sandbox: Run) -> None:
    assert "entries" in refused(with_sandbox, {"entries": []})


def test_dry_run_judges_and_stores_nothing(with_sandbox: Run) -> None:
    async def test(sandbox: Sandbox, rest: Rest) -> None:
        assert (await rest.write({"dryRun": True, "entries": [entry()]})).status == 200
        assert (await rest.write({"dryRun": True, "entries": [{"textPayload": ""}]})).status == 400
        assert len(sandbox.logging.store) == 0

    with_sandbox(test)


def test_partial_success_writes_the_valid_and_names_the_invalid(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        entries = [entry(insertId="a"), {"textPayload": "no name"}, entry(insertId="b")]
        answer = await rest.write({"partialSuccess": True, "entries": entries})
        assert answer.status == 400
        detail = answer.error["details"][0]  # type: ignore[index]
        kind = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"
        assert detail.pop("@type") == kind
        parsed = json_format.ParseDict(detail, types.WriteLogEntriesPartialErrors.pb()())
        assert {k: v.code for k, v in parsed.log_entry_errors.items()} == {1: 3}
        assert [e["insertId"] for e in (await rest.list()).entries] == ["a", "b"]

    with_sandbox(test)


@pytest.mark.parametrize("flag", [{}, {"partialSuccess": False}])
def test_without_partial_success_one_bad_entry_refuses_all(
    with_sandbox: Run, flag: dict[str, bool]
) -> None:
    assert "missing" in refused(with_sandbox, {"entries": [entry(), {"textPayload": "x"}], **flag})


def test_no_per_entry_errors_when_nothing_is_written(with_sandbox: Run) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.write({"partialSuccess": True, "entries": [{"textPayload": "x"}]})
        assert answer.status == 400
        assert "details" not in answer.error

    with_sandbox(test)


def padded_body(size: int) -> bytes:
    """A valid request of exactly `size` bytes (spaces after it are part of the request)."""
    return orjson.dumps({"entries": [entry()]}).ljust(size)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_request_has_at_most_10485760_bytes(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        answer = await rest.write(padded_body(MAX_REQUEST_BYTES + extra))
        assert answer.status == (200 if extra <= 0 else 400)
        if extra > 0:
            assert answer.message == "Request payload size exceeds the limit: 10485760 bytes."

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_gzip_is_accepted_up_to_the_same_size(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        body = gzip.compress(padded_body(MAX_REQUEST_BYTES + extra), 1)
        answer = await rest.write(body, {"Content-Encoding": "gzip"})
        assert answer.status == (200 if extra <= 0 else 400), answer.body

    with_sandbox(test)


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(b"{}")[:-9], gzip.compress(padded_body(400))[:-1]]
)
def test_a_broken_gzip_body_is_refused(with_sandbox: Run, body: bytes) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        assert (await rest.write(body, {"Content-Encoding": "gzip"})).status == 400

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_an_entry_has_at_most_256_kib(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        text = "é" * (MAX_ENTRY_BYTES // 2 - 10) + "x" * (20 - len("kv") + extra)
        answer = await rest.write({"entries": [entry(textPayload=text, labels={"k": "v"})]})
        assert answer.status == (200 if extra <= 0 else 400)
        if extra > 0:
            assert "exceeds maximum size of 256.0K" in answer.message

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_json_payload_counts_as_compact_json(with_sandbox: Run, extra: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        payload = {"m": "x" * (MAX_ENTRY_BYTES - len('{"m":""}') + extra)}
        one = {"logName": LOG, "resource": RESOURCE, "jsonPayload": payload}
        assert (await rest.write({"entries": [one]})).status == (200 if extra <= 0 else 400)

    with_sandbox(test)


@pytest.mark.parametrize("count", [63, 64, 65])
def test_an_entry_has_at_most_64_labels(with_sandbox: Run, count: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        labels = {f"k{n}": "v" for n in range(count - 1)}
        # The request's own labels count too: they are merged first.
        answer = await rest.write({"labels": {"last": "v"}, "entries": [entry(labels=labels)]})
        assert answer.status == (200 if count <= 64 else 400)

    with_sandbox(test)


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_long_label_keys_and_values_are_cut_with_an_ellipsis(with_sandbox: Run, extra: int) -> None:
    key, value = "k" * (MAX_LABEL_KEY_BYTES + extra), "v" * (MAX_LABEL_VALUE_BYTES + extra)
    (stored,) = write_and_list(with_sandbox, {"entries": [entry(labels={key: value})]})
    ((kept_key, kept_value),) = stored["labels"].items()  # type: ignore[attr-defined]
    if extra <= 0:
        assert (kept_key, kept_value) == (key, value)
    else:
        assert kept_key.endswith(ELLIPSIS)
        assert len(kept_key.encode()) == MAX_LABEL_KEY_BYTES
        assert kept_value.endswith(ELLIPSIS)
        assert len(kept_value.encode()) == MAX_LABEL_VALUE_BYTES


@pytest.mark.parametrize("chars", [510, 511, 512])
def test_a_log_id_has_less_than_512_characters(with_sandbox: Run, chars: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        name = "projects/p/logs/" + "%2F" + "a" * (chars - 1)
        answer = await rest.write({"entries": [entry(logName=name)]})
        assert answer.status == (200 if chars < 512 else 400)

    with_sandbox(test)


@pytest.mark.parametrize(
    "name",
    ["stdout", "projects/p", "projects/p/logs/", "projects/p/logs/a b", "projects/p/logs/a/b",
     "projects/p/logs/a%20b", "projects//logs/a", "x/p/logs/a"],
)  # fmt: skip
def test_a_malformed_log_name_is_refused(with_sandbox: Run, name: str) -> None:
    assert name.rpartition("/")[2] in refused(with_sandbox, {"entries": [entry(logName=name)]})


def test_a_leading_slash_of_a_log_name_is_dropped(with_sandbox: Run) -> None:
    (stored,) = write_and_list(with_sandbox, {"entries": [entry(logName="/" + LOG)]})
    assert stored["logName"] == LOG


@pytest.mark.parametrize(("secs", "status"), [(86_390, 200), (86_410, 400)])
def test_a_timestamp_may_be_a_day_in_the_future(with_sandbox: Run, secs: int, status: int) -> None:
    async def test(_: Sandbox, rest: Rest) -> None:
        stamp = format_time(time.time_ns() + secs * SECOND)
        answer = await rest.write({"entries": [entry(timestamp=stamp)]})
        assert answer.status == status
        if status == 400:
            assert answer.message == "Timestamp is over a day in the future"

    with_sandbox(test)


def test_a_body_that_is_not_json_is_refused(with_sandbox: Run) -> None:
    assert "Invalid JSON" in refused(with_sandbox, b'{"entries": [')


def test_invalid_utf8_is_refused(with_sandbox: Run) -> None:
    body = orjson.dumps({"entries": [entry(textPayload="@")]}).replace(b"@", b"\xff")
    assert "Invalid JSON" in refused(with_sandbox, body)
