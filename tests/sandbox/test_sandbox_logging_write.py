"""entries:write: defaults, names and partial errors, as real requests over HTTP."""

import time

import orjson
import pytest
from google.cloud.logging_v2 import types
from google.protobuf import json_format

from logship_sandbox.client import Rest
from logship_sandbox.logging_time import format_time
from logship_sandbox.server import Sandbox
from tests.sandbox.logging_writing import LOG, RESOURCE, Run, entry, refused, write_and_list


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


def test_a_body_that_is_not_json_is_refused(with_sandbox: Run) -> None:
    assert "Invalid JSON" in refused(with_sandbox, b'{"entries": [')


def test_invalid_utf8_is_refused(with_sandbox: Run) -> None:
    body = orjson.dumps({"entries": [entry(textPayload="@")]}).replace(b"@", b"\xff")
    assert "Invalid JSON" in refused(with_sandbox, body)
