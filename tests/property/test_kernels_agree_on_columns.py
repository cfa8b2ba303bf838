"""The columns of BigQuery, as Arrow and as records, are the same from either kernel."""

import json
from itertools import accumulate

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import Extractor, Keys
from logship_gcp.bigquery.tabled import fields_of
from logship_gcp.pubsub import outgoing, wire
from logship_gcp.pubsub.framed import frames_of
from logship_gcp.pubsub.record import FORMAT, JsonColumns, encode_rows

from logship.api import Batch, Cutting, Generation, Labels, Origin, Span, time_ns
from logship.rows import kernel

pytestmark = pytest.mark.skipif(
    kernel.in_use() == "pure", reason="the compiled kernel was not built"
)
GENERATION = Generation(time_ns("2026-11-23T04:46:31Z"), 0xABCD1234)
NOW_NS = time_ns("2026-11-23T05:00:00.123456789Z")
LABELS = Labels({"cluster": "c", "namespace": "n", "pod": "p", "label:app": "x", "label:é": '"'})
_NUMBERS = pa.schema(
    [pa.field(f.name, pa.int64() if pa.types.is_timestamp(f.type) else f.type) for f in SCHEMA]
)  # Python has no time before the year 1
EXTRACTORS = (
    Extractor(),
    Extractor(Keys(severity=("lvl",), message=("text", "msg"), trace=(), span=("msg2",))),
    Extractor(Keys(message=("time",), trace=("time",))),
)

LINE = b"2026-11-23T04:46:31Z stdout F %s\n"

_times = st.one_of(
    st.sampled_from(
        ["2026-11-23T04:46:31Z", "2026-11-23T04:46:31.1+05:30", "2026-02-30T04:46:31Z",
         "2026-11-23 04:46:31Z", "2026-11-23T04:46Z", "1601-01-01T00:00:00.9999999-23:59",
         "9999-12-31T23:59:59.999999999+00:00", "1969-12-31T23:59:59.000000001Z", "noon", "",
         "2026-11-23T04:46:31.123456789+05:30", "2026-11-23T04:46:31+24:00",
         "2024-02-29T23:59:59Z", "2100-02-29T00:00:00Z", "0000-01-01T00:00:00Z"]
    ),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
)  # fmt: skip
_row_times = st.one_of(
    st.sampled_from(
        ["2026-11-23T04:46:31Z", "2026-11-23T04:46:31.123456789+05:30", "2024-02-29T00:00:00.1Z",
         "1969-12-31T23:59:59.000000001Z", "0001-01-02T00:00:00.1234567Z"]
    ),
    st.integers(0, 999_999_999).map(lambda nanos: f"2026-11-23T04:46:31.{nanos:09d}Z"),
)  # fmt: skip
_keys = st.sampled_from(
    ["severity", "level", "lvl", "message", "msg", "text", "time", "timestamp", "trace", "traceId",
     "span_id", "spanId", "timestampSeconds", "timestampNanos", "a", "b", "日本"]
)  # fmt: skip
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12),
    st.sampled_from(["INFO", "error", 30, 400, 1795409191, 1795409191.5, "D", 'q"', "\\", "/\b\f"]),
    _times,
)  # fmt: skip
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(_keys | st.sampled_from(["seconds", "nanos"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def _text_of(fields: dict[str, object], spaces: bool, escaped: bool) -> bytes:
    separators = (" ,", " : ") if spaces else (",", ":")
    text = json.dumps(fields, separators=separators, ensure_ascii=escaped)
    return text.encode(errors="replace")


_objects = st.builds(
    _text_of, st.dictionaries(_keys, _values, max_size=9), st.booleans(), st.booleans()
)
_escapes = st.lists(
    st.sampled_from(
        [r"\/", r"\b", r"\f", r"\n", r"\r", r"\t", r"\"", r"\\", r"\u0000", r"\u001F", r"\u0041",
         r"\u00e9", r"\u65E5", r"\ud83d\uDE00", r"\u007f", r"\uffff", "x", "日", "\x7f", r"\ud800"]
    ),
    max_size=6,
).map(lambda parts: f'{{"message":"{"".join(parts)}","trace":"\\u0031"}}'.encode())  # fmt: skip
_strings = st.dictionaries(  # many at once, so that several are of one column
    _keys.filter(lambda key: key != "timestampSeconds"),
    st.sampled_from(["a", "b", "error", "2026-11-23T04:46:31Z"]),
    min_size=5,
    max_size=8,
)
_texts = st.one_of(
    _objects,
    _strings.map(lambda fields: _text_of(fields, False, False)),
    _strings.map(lambda fields: _text_of(fields, True, True)),
    _escapes,
    st.tuples(_objects, st.integers(0, 60), st.sampled_from([b'"', b"\\", b"{", b"}", b"1", b""]))
    .map(lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] + 1 :]),
    st.text(max_size=30).map(lambda text: text.encode(errors="replace")),
    st.sampled_from(
        [b"", b"{", b"{}", b"x" * 300, b'{"msg":"a","msg":"b"}', b"I0101 none",
         b"E1123 04:46:31.123456   1 main.go:1] failed", b'"\\\x01\x1f\x7f'],
    ),
).map(lambda text: text.replace(b"\n", b""))  # fmt: skip
_lines = st.builds(
    lambda time, stream, tag, text: f"{time} {stream} {tag} ".encode() + text + b"\n",
    _row_times, st.sampled_from(["stdout", "stderr"]), st.sampled_from("FFFFP"), _texts,
)  # fmt: skip
_blocks = st.lists(_lines, min_size=1, max_size=8).map(b"".join)
_extractors = st.sampled_from(EXTRACTORS)


def _batch(block: bytes, start: int = 2**33) -> Batch:
    span = Span(GENERATION, start, start + len(block))
    return Batch(Origin("c/uid/app/0", LABELS), LABELS, (span,), block, Cutting())


def _columns(block: bytes, extractor: Extractor) -> object:
    batch = _batch(block)
    found = convert(batch, range(len(batch.rows)), extractor, NOW_NS)
    for part in found.taken:
        part.columns.validate(full=True)
    parts = [(list(part.rows), part.columns.cast(_NUMBERS).to_pylist()) for part in found.taken]
    return parts, found.refused


@given(_blocks, _extractors)
@example(LINE % b'{"msg":"b","message":"a"}', EXTRACTORS[0])
def test_both_make_the_same_arrow_columns(block: bytes, extractor: Extractor) -> None:
    kernel.choose("compiled")
    compiled = _columns(block, extractor)
    kernel.choose("pure")
    assert compiled == _columns(block, extractor)


def test_rows_that_stand_as_they_are_are_not_looked_at_in_python() -> None:
    """Else the test above would compare the pure way with itself."""
    text = b'{"level":"warn","time":"2026-11-23T04:46:31Z","msg":"a \\n b","trace":"t","n":{"x":1}}'
    kernel.choose("compiled")
    found = fields_of(_batch(LINE % text), Extractor())
    assert found is not None
    assert found.rest == []
    assert _framed(LINE % text, Extractor(), "text") is not None


def _records(block: bytes, extractor: Extractor, json_columns: JsonColumns) -> list[bytes]:
    """As they stand in requests."""
    batch = _batch(block)
    shared = outgoing.attributes(batch.labels, "r", FORMAT)
    return [
        wire.message(body, shared, outgoing.insert_id(insert_id))
        for insert_id, body in encode_rows(batch, extractor, json_columns, NOW_NS)
    ]


def _framed(
    block: bytes, extractor: Extractor, json_columns: JsonColumns
) -> tuple[bytes, list[int]] | None:
    batch = _batch(block)
    shared = outgoing.attributes(batch.labels, "r", FORMAT)
    return frames_of(batch, extractor, json_columns, NOW_NS, shared)


@given(_blocks, _extractors, st.sampled_from(["text", "value"]))
@example(LINE % (b'{"message":"%s"}' % (b"\\u0001" * 5000)), EXTRACTORS[0], "text")
def test_both_make_the_same_records(
    block: bytes, extractor: Extractor, json_columns: JsonColumns
) -> None:
    kernel.choose("compiled")
    framed = _framed(block, extractor, json_columns)
    kernel.choose("pure")
    assert _framed(block, extractor, json_columns) is None
    if framed is not None:
        expected = _records(block, extractor, json_columns)
        assert framed == (b"".join(expected), list(accumulate(map(len, expected))))
