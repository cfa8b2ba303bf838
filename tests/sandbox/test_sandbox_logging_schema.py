"""What the front end accepts is what Google's own message classes accept, field by field."""

from collections.abc import Mapping

import pytest
from google.cloud.logging_v2 import types
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from logship_sandbox.logging_body import ApiError, parsed
from logship_sandbox.logging_json import Violation
from logship_sandbox.logging_schema import read_write_request
from logship_sandbox.logging_time import format_time, parse_time

VALID: list[dict[str, object]] = [
    {"textPayload": "é\n\u0000"},
    {"text_payload": "snake case is accepted"},
    {"jsonPayload": {"a": [1, 2.5, None, True, {"b": "c"}]}},
    {"protoPayload": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "1s"}},
    {"severity": "WARNING"},
    {"severity": 400},
    {"severity": 450},
    {"timestamp": "2026-11-23T10:00:00Z"},
    {"timestamp": "2026-11-23T10:00:00.123456789+02:00"},
    {"timestamp": "0001-01-01T00:00:00Z"},
    {"timestamp": "9999-12-31T23:59:59.999999999Z"},
    {"labels": {"a": "b"}},
    {"labels": None, "insertId": None, "timestamp": None},
    {"traceSampled": True, "trace": "projects/p/traces/1", "spanId": "00"},
    {"sourceLocation": {"file": "a.py", "line": "12", "function": "f"}},
    {"sourceLocation": {"line": 12}},
    {"sourceLocation": {"line": 12.0}},
    {"operation": {"id": "i", "producer": "p", "first": True, "last": False}},
    {"split": {"uid": "u", "index": 1, "totalSplits": 2}},
    {"httpRequest": {"requestMethod": "GET", "status": 200, "responseSize": "12"}},
    {"httpRequest": {"latency": "3.5s", "cacheHit": True, "request_url": "/"}},
    {"httpRequest": {"status": "200", "requestSize": 9007199254740993}},
    {"resource": {"type": "global", "labels": {"project_id": "p"}}},
]
INVALID: list[tuple[dict[str, object], str]] = [
    ({"foo": 1}, "Unknown name \"foo\" at 'entries[0]': Cannot find field."),
    ({"httpRequest": {"verb": ""}}, "Unknown name \"verb\" at 'entries[0].http_request'"),
    ({"severity": "LOUD"}, "'entries[0].severity' (type.googleapis.com/google.logging.type."),
    ({"severity": "error"}, 'LogSeverity), "error"'),
    ({"timestamp": "2026-11-23 10:00:00"}, "'entries[0].timestamp' (type.googleapis.com/google."),
    ({"timestamp": "2026-11-23T10:00:00"}, "Timestamp"),
    ({"timestamp": "2026-13-23T10:00:00Z"}, "Timestamp"),
    ({"timestamp": "2026-11-23T10:00:61Z"}, "Timestamp"),
    ({"timestamp": 5}, "Timestamp"),
    ({"labels": {"a": 1}}, "'entries[0].labels[0].value' (TYPE_STRING), 1"),
    ({"labels": {"a": "b", "c": None}}, "'entries[0].labels[1].value' (TYPE_STRING), null"),
    ({"labels": []}, "'entries[0].labels'"),
    ({"insertId": 7}, "'entries[0].insert_id' (TYPE_STRING), 7"),
    ({"textPayload": {"a": 1}}, "TYPE_STRING"),
    ({"jsonPayload": "text"}, "Struct"),
    ({"jsonPayload": [1]}, "Struct"),
    ({"traceSampled": "yes"}, "TYPE_BOOL"),
    ({"traceSampled": 1}, "TYPE_BOOL"),
    ({"sourceLocation": {"line": "twelve"}}, "'entries[0].source_location.line' (TYPE_INT64)"),
    ({"sourceLocation": {"line": 1.5}}, "TYPE_INT64"),
    ({"sourceLocation": {"line": 2**63}}, "TYPE_INT64"),
    ({"sourceLocation": "a.py:1"}, "LogEntrySourceLocation"),
    ({"httpRequest": {"status": 2**31}}, "TYPE_INT32"),
    ({"httpRequest": {"status": "ok"}}, "TYPE_INT32"),
    ({"httpRequest": {"latency": "3.5"}}, "Duration"),
    ({"httpRequest": {"latency": 3.5}}, "Duration"),
    ({"httpRequest": {"latency": "s"}}, "Duration"),
    ({"httpRequest": {"cacheHit": "true"}}, "TYPE_BOOL"),
    ({"resource": {"type": "global", "labels": {"a": 1}}}, "resource.labels[0].value"),
    ({"textPayload": "a", "jsonPayload": {}}, "oneof"),
]


def google(entry: Mapping[str, object]) -> bytes:
    """The entry as Google's own class reads and writes it; raises json_format.ParseError."""
    message = types.LogEntry.pb()()
    json_format.ParseDict(dict(entry), message)
    return bytes(message.SerializeToString(deterministic=True))


@pytest.mark.parametrize("entry", VALID, ids=str)
def test_a_valid_entry_is_canonical_and_means_the_same_to_google(entry: dict[str, object]) -> None:
    (read,) = read_write_request({"entries": [entry]})["entries"]
    assert google(read) == google(entry)
    (again,) = read_write_request({"entries": [read]})["entries"]
    assert again == read


@pytest.mark.parametrize(("entry", "words"), INVALID, ids=str)
def test_an_invalid_field_is_named(entry: dict[str, object], words: str) -> None:
    with pytest.raises(Violation) as raised:
        read_write_request({"entries": [entry]})
    assert words in raised.value.message()


@pytest.mark.parametrize("entry", [e for e, _ in INVALID], ids=str)
def test_google_refuses_it_too(entry: dict[str, object]) -> None:
    with pytest.raises(json_format.ParseError):
        google(entry)


def test_a_bool_is_no_severity() -> None:
    # Google's Python library takes True for 1; its JSON mapping has names and numbers only.
    with pytest.raises(Violation, match="LogSeverity"):
        read_write_request({"entries": [{"severity": True}]})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"entry": []}, 'Unknown name "entry":'),
        ({"entries": {}}, "'entries'"),
        ({"entries": ["x"]}, "'entries[0]'"),
        ({"partialSuccess": "yes"}, "'partial_success' (TYPE_BOOL)"),
        ([], "WriteLogEntriesRequest"),
    ],
)
def test_an_invalid_request_is_refused(body: object, words: str) -> None:
    with pytest.raises(Violation) as raised:
        read_write_request(body)
    assert words in raised.value.message()


@pytest.mark.parametrize(
    "payload", [b'{"a":1,"a":2}', b'{"x":[{"a":{"b":1,"b":1}}]}', b'{"a":1,"\\u0061":2}']
)
def test_a_key_that_is_repeated_in_a_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(ApiError, match="Repeated map key"):
        parsed(b'{"entries":[{"jsonPayload":' + payload + b"}]}")


@pytest.mark.parametrize(("levels", "fits"), [(96, True), (97, True), (98, False)])
def test_nesting_ends_at_100_levels(levels: int, fits: bool) -> None:
    # Three levels are around the payload's value: request, entries, entry; the payload is a fourth.
    body = b'{"entries":[{"jsonPayload":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}]}"
    if fits:
        parsed(body)
        return
    with pytest.raises(ApiError, match="too deep"):
        parsed(body)


@given(st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9))
def test_timestamps_survive_formatting(nanos: int) -> None:
    assert parse_time(format_time(nanos)) == nanos
    assert google({"timestamp": format_time(nanos)}) != google({})
