"""Which special fields the compiled kernel lifts alone, and which rows it leaves to the caller.

That both kernels make the same of them is held in `test_kernels_agree`; this is about which of them
did the work, and about sizes that random objects do not have.
"""

from collections.abc import Iterator

import orjson
import pytest
from logship_gcp.cloud_logging.entries import encode, room_of
from logship_gcp.cloud_logging.frames import Place, frame_of
from logship_gcp.cloud_logging.special import Reader

from logship.api import Batch, Cutting, Generation, Labels, Origin, Span, kernel, time_ns

pytestmark = pytest.mark.skipif(not kernel.BUILT, reason="the compiled kernel was not built")
PREFIX = "logging.googleapis.com/"
TRACES = (PREFIX + "trace", "trace")
READER = Reader("p", ("severity", "level"), TRACES)
LABELS = Labels({"cluster": "c", "namespace": "n", "pod": "p", "container": "app"})


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    before = kernel.in_use()
    kernel.choose("compiled")
    yield
    kernel.choose(before)


def _block(*members: str) -> bytes:
    """Rows that are objects with these members and two more."""
    line = '2026-11-23T04:46:31.1Z stdout F {{"a":1,{},"b":2}}\n'
    return "".join(line.format(text) for text in members).encode()


def _left(*members: str, reader: Reader = READER, room: int = 10_000) -> list[int]:
    table = kernel.scan(_block(*members))
    assert table is not None
    return kernel.objects(table, reader.forms[True], room).rest


@pytest.mark.parametrize(
    "members",
    [
        '"severity":"INFO"',
        '"level" : "warn"',
        '"severity":200',
        '"time":"2026-11-23T23:59:59.123456789Z"',
        f'"{PREFIX}trace":"{"a0" * 16}"',
        '"trace":"projects/q/traces/1"',
        f'"trace":"{"aF9" * 10}00"',
        f'"trace":"{"0" * 33}"',
        f'"trace":"{"g" * 32}"',
        f'"{PREFIX}spanId":"日"',
        f'"{PREFIX}trace_sampled":true',
        f'"{PREFIX}traceSampled" :false',
        '"httpRequest":{ "requestMethod" : "GET\\n" , "status":200 }',
        f'"{PREFIX}http_request":{{"requestSize":99999999999999999,"status":999999999}}',
        '"httpRequest":{"latency":"1.5s","cacheHit":true}',
        f'"{PREFIX}operation":{{"id":"","first":true}}',
        f'"{PREFIX}sourceLocation":{{"file":"a.go","line":12345678901234567,"function":"f"}}',
        f'"{PREFIX}labels":{{"a":"b","":"日\\n"}}',
        f'"trace":"","{PREFIX}trace":null,"{PREFIX}spanId":null,"time":""',
        f'"{PREFIX}trace_sampled":null,"httpRequest":{{}},"{PREFIX}labels":null',
        f'"trace":"","{PREFIX}trace":"x","time":{{}},"timestamp":"2026-11-23T00:00:00Z"',
        '"message":1,"msg":"m"',
        f'"severity":"INFO","time":"2026-11-23T00:00:00Z","{PREFIX}spanId":"1"',
    ],
)
def test_usual_forms_need_no_python(members: str) -> None:
    assert _left(members) == []
    block = _block(members)
    assert _entries(block, "compiled") == _entries(block, "pure")


@pytest.mark.parametrize(
    "members",
    [
        '"severity":"INFO","level":"INFO"',
        '"severity":"' + "x" * 70 + '"',
        '"time":"2026-11-24T00:00:00Z"',
        '"timestamp":"2026-11-22T23:59:59Z"',
        '"time":"2026-11-23T00:00:00+00:00"',
        '"time":"2026-02-30T00:00:00Z"',
        '"time":"2026-11-23T00:00:00.1234567890Z"',
        '"time":1',
        '"time":"2026-11-23T00:00:00Z","timestamp":"2026-11-23T00:00:00Z"',
        '"timestamp":{"seconds":1,"nanos":1}',
        '"timestampSeconds":1,"timestampNanos":2',
        '"trace":"\\u0030"',
        '"trace":1',
        f'"trace":"x","{PREFIX}trace":"y"',
        f'"{PREFIX}trace_sampled":"true"',
        f'"{PREFIX}trace_sampled":true,"{PREFIX}traceSampled":true',
        '"httpRequest":[]',
        '"httpRequest":"GET"',
        '"httpRequest":{"unknown":"x"}',
        '"httpRequest":{"status":1,"status":1}',
        '"httpRequest":{"requestMethod":1}',
        '"httpRequest":{"status":"200"}',
        '"httpRequest":{"status":1000000000}',
        '"httpRequest":{"status":-1}',
        '"httpRequest":{"status":1.5}',
        '"httpRequest":{"responseSize":true}',
        '"httpRequest":{"cacheHit":"true"}',
        '"httpRequest":{"latency":"1 s"}',
        '"httpRequest":{"latency":"01s"}',
        '"httpRequest":{"latency":"1.0000000001s"}',
        '"httpRequest":{"latency":"1234567890s"}',
        '"httpRequest":{"latency":"1.5sx"}',
        '"httpRequest":{"latency":{"seconds":1}}',
        f'"httpRequest":{{"status":1}},"{PREFIX}http_request":{{"status":2}}',
        f'"{PREFIX}labels":{{}}',
        f'"{PREFIX}labels":{{"a":1}}',
        f'"{PREFIX}labels":{{"logship/a":"b"}}',
        f'"{PREFIX}labels":{{"a":"{"x" * 4096}"}}',
        f'"{PREFIX}labels":{orjson.dumps({str(n): "" for n in range(17)}).decode()}',
        f'"{PREFIX}insertId":"x"',
    ],
)
def test_what_is_uncertain_is_left_to_the_caller(members: str) -> None:
    assert _left('"c":3', members) == [1]


@pytest.mark.parametrize("key", ["time", "trace", "httpRequest", PREFIX + "insertId"])
def test_a_key_of_two_options_is_left_to_the_caller(key: str) -> None:
    reader = Reader("p", ("severity", key), ("trace",))
    assert _left(f'"{key}":"INFO"', reader=reader) == [0]


def _rows(*texts: str) -> bytes:
    return "".join(f"2026-11-23T04:46:31.1Z stdout F {text}\n" for text in texts).encode()


ALONE = (
    '{"message":"q\\"日"}',
    '{"severity":"INFO" , "message" : "m" }',
    '{"level":"INFO","message":"m"}',
    '{"severity":"bogus","message":"m"}',
    '{"message":"","httpRequest":{"status":1}}',
    '{"message":1,"severity":"INFO"}',
    '{"message":"m","trace":""}',
    '{"message":"m","msg":"m"}',
    '{"log":"m","time":"2026-11-23T00:00:00Z"}',
    '{"other":"m","time":"2026-11-23T00:00:00Z"}',
    '{"severity":"INFO","time":"2026-11-23T00:00:00Z"}',
    "{}",
)


def test_an_object_of_which_only_a_message_remains_needs_no_python() -> None:
    block = _rows(*ALONE)
    table = kernel.scan(block)
    assert table is not None
    assert kernel.objects(table, READER.forms[True], 10_000).rest == []
    entries = _entries(block, "compiled")
    assert entries == _entries(block, "pure")
    assert [number for number, entry in enumerate(entries) if "textPayload" in entry] == [
        0,
        1,
        4,
        8,
    ]


def test_labels_are_left_to_the_caller_where_entries_have_others() -> None:
    table = kernel.scan(_block(f'"{PREFIX}labels":{{"a":"b"}}'))
    assert table is not None
    assert kernel.objects(table, READER.forms[False], 10_000).rest == [0]


def test_a_time_is_not_compared_with_one_of_another_zone() -> None:
    line = b'2026-11-23T04:46:31+01:00 stdout F {"a":1,"time":"2026-11-23T00:00:00Z","b":2}\n'
    table = kernel.scan(line)
    assert table is not None
    assert kernel.objects(table, READER.forms[True], 1000).rest == [0]


def _entries(block: bytes, kind: str) -> list[dict[str, object]]:
    kernel.choose(kind)
    span = Span(Generation(time_ns("2026-11-23T04:46:31Z"), 1), 0, len(block))
    batch = Batch(Origin("c/uid/app/0", LABELS), LABELS, (span,), block, Cutting())
    frame = frame_of(batch, Place("p", "l", "c"))
    now_ns = time_ns("2026-11-23T05:00:00Z")
    body = encode(batch, frame, READER, now_ns=now_ns, alone=True)
    found: list[dict[str, object]] = orjson.loads(b"[" + body.body + b"]")
    return found


def test_more_severities_than_are_kept_apart_are_lifted_by_the_caller() -> None:
    members = [f'"severity":{number}' for number in range(0, 900, 20)]
    assert len(_left(*members)) == len(members) - 32
    block = _block(*members)
    assert _entries(block, "compiled") == _entries(block, "pure")


def test_rows_about_as_large_as_an_entry_may_be_are_the_same_in_both() -> None:
    batch = Batch(Origin("c/uid/app/0", LABELS), LABELS, (), b"", Cutting())
    room = room_of(frame_of(batch, Place("p", "l", "c")))
    lifted = f'"trace":"{"0" * 32}","httpRequest":{{"latency":"1s","status":1}},"d":"'
    for short in (1200, 600, 150, 100, 60, 40, 20, 10, 0, -200):
        block = _block(lifted + "y" * (room - len(lifted) - short) + '"')
        assert _entries(block, "compiled") == _entries(block, "pure"), short


def test_a_large_request_beside_a_message_alone_is_left_out_by_both() -> None:
    for size in (60_000, 115_000, 125_000, 200_000, 230_000):
        url = f'"httpRequest":{{"requestUrl":"{"u" * size}"}}'
        block = _rows(f'{{"message":"m",{url}}}', f"{{{url}}}", f'{{"a":1,"b":2,{url}}}')
        assert _entries(block, "compiled") == _entries(block, "pure"), size
