"""The compiled kernel and the pure one make the same of any bytes: rows, and entries."""

import json
from collections.abc import Sequence
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logship_gcp.cloud_logging.entries import encode
from logship_gcp.cloud_logging.frames import Place, frame_of
from logship_gcp.cloud_logging.special import Reader

from logship.api import Batch, JsonObject, Labels, Origin, Parsed
from logship.rows import kernel
from logship.rows.address import Generation, Span, time_ns
from logship.rows.index import Cutting, index
from logship.rows.keeping import keep
from logship.rows.rows import Rows
from tests.property.special_objects import special_objects

pytestmark = pytest.mark.skipif(
    kernel.in_use() == "pure", reason="the compiled kernel was not built"
)
GENERATION = Generation(time_ns("2026-11-23T04:46:31Z"), 0xABCD1234)
NOW_NS = time_ns("2026-11-23T05:00:00Z")

_digit = st.sampled_from("0123456789")
_times = st.one_of(
    st.sampled_from(
        ["2026-11-23T04:46:31.123456789Z", "2026-11-23T04:46:31Z", "2026-11-23T10:16:31.1+05:30",
         "2026-02-30T04:46:31Z", "2024-02-29T23:59:59.9Z", "2026-11-23T24:00:00Z",
         "2026-11-23T04:46:60Z", "0000-01-01T00:00:00Z", "2026-11-23T04:46:31.Z",
         "9999-12-31T23:59:59-23:59",
         "2026-11-23T04:46:31.1234567890Z", "2026-11-23 04:46:31Z"]
    ),
    st.from_regex(
        r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{0,10})?(Z|[+-]\d\d:\d\d)",
        fullmatch=True,
    ),
)  # fmt: skip
_keys = st.sampled_from(
    ["severity", "level", "message", "msg", "time", "timestamp", "timestampSeconds",
     "timestampNanos", "httpRequest", "logging.googleapis.com/trace",
     "logging.googleapis.com/spanId", "logging.googleapis.com/labels",
     "logging.googleapis.com/insertId", "logging.googleapis.com/operation", "a", "b", "c", "日本"]
)  # fmt: skip
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12),
    st.sampled_from(["INFO", "error", "30", "2026-11-23T04:46:31Z", "0" * 32, 'q"', "\\"]),
)  # fmt: skip
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=6,
)


def _text_of(fields: dict[str, object], spaces: bool, escaped: bool) -> str:
    separators = (" ,", " : ") if spaces else (",", ":")
    return json.dumps(fields, separators=separators, ensure_ascii=escaped)


_objects = st.builds(
    _text_of, st.dictionaries(_keys, _values, max_size=9), st.booleans(), st.booleans()
).map(lambda text: text.encode(errors="replace"))


@st.composite
def _broken(draw: st.DrawFn, objects: st.SearchStrategy[bytes]) -> bytes:
    """An object with one byte changed, doubled or taken out."""
    text = draw(objects)
    at = draw(st.integers(0, len(text)))
    put = draw(st.sampled_from([*b'"\\{},:e.\x01\xff', None]))
    middle = b'"a":1,' if put is None else bytes((put,))
    return text[:at] + middle * draw(st.integers(0, 1)) + text[at + draw(st.integers(0, 1)) :]


_texts = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode(errors="replace")),
    _objects,
    _broken(_objects),
    st.sampled_from(
        [b"", b"\r", b"\x00\x1f\x7f", "日本\U0001f600".encode(), "日本".encode()[:4], b"x" * 300,
         b"E1123 04:46:31.123456   1 main.go:1] failed", b"I0101 no glog", b'{"a":1}', b"{", b"{}",
         b'{"a":1,"a":2,"b":3}', b"\xf0\x9f\x98", b"\xed\xa0\x80",
         b'{"severity":"INFO","a":1,"b":2}']
    ),
).map(lambda text: text.replace(b"\n", b""))  # fmt: skip
_line = st.builds(
    lambda time, stream, tag, text: f"{time} {stream} {tag} ".encode() + text + b"\n",
    _times, st.sampled_from(["stdout", "stderr", "stdout", "stdxxx"]),
    st.sampled_from(["F", "F", "F", "P", "P:x", "X"]), _texts,
)  # fmt: skip
_good = st.builds(
    lambda number, stream, tag, text: f"2026-11-23T04:46:31.{number:03d}Z {stream} {tag} ".encode()
    + text + b"\n",
    st.integers(0, 999), st.sampled_from(["stdout", "stderr"]), st.sampled_from("FFFP"), _texts,
)  # fmt: skip
_blocks = st.one_of(st.lists(_good, max_size=8), st.lists(st.one_of(_good, _line), max_size=8)).map(
    b"".join
)


def _rows(block: bytes, start: int, limit: int) -> Rows:
    span = Span(GENERATION, start, start + len(block))
    return index(block, (span,), Cutting(max_row_bytes=limit))


def _seen(rows: Rows) -> list[object]:
    columns = zip(rows.ids("0" * 12), rows.times, rows.streams, rows.texts, strict=True)
    return [*columns, dict(rows.marks), list(rows.offsets)]


@given(_blocks, st.integers(0, 2**40), st.sampled_from([60, 256 * 1024]))
def test_both_find_the_same_rows(block: bytes, start: int, limit: int) -> None:
    kernel.choose("compiled")
    compiled = _seen(_rows(block, start, limit))
    kernel.choose("pure")
    assert compiled == _seen(_rows(block, start, limit))


TRACE_KEYS = ("logging.googleapis.com/trace", "trace")


def _entries(
    block: bytes,
    limit: int,
    parse: bool,
    alone: bool,
    longest: int | None = None,
    some: int | None = None,
) -> object:
    """`longest`: texts of up to so many characters were parsed by a transform. `some`: the rows at
    these bits are kept.
    """
    labels = Labels({"cluster": "c", "namespace": "n", "pod": "p", "container": "app"})
    origin = Origin("c/uid/app/0", labels)
    span = Span(GENERATION, 0, len(block))
    batch = Batch(origin, labels, (span,), block, Cutting(max_row_bytes=limit))
    if longest is not None:
        rows = batch.rows
        fields: Sequence[JsonObject | None] = Parsed(rows.texts, max_chars=longest)
        if kernel.in_use() == "pure":  # objects that the texts do not tell
            fields = list(fields)
        batch = batch.with_fields(replace(rows, fields=fields))
    if some is not None:
        batch = batch.keep([some >> row & 1 for row in range(len(batch.rows))])
    keys = ("severity", "level")
    reader = Reader("p", keys, TRACE_KEYS, parse)
    frame = frame_of(batch, Place("p", "l", "c"))
    body, *_ = encode(batch, frame, reader, now_ns=NOW_NS, alone=alone)
    return orjson.loads(b"[" + body + b"]")


@given(_blocks, st.sampled_from([60, 256 * 1024]), st.booleans(), st.booleans())
def test_both_make_the_same_entries(block: bytes, limit: int, parse: bool, alone: bool) -> None:
    kernel.choose("compiled")
    compiled = _entries(block, limit, parse, alone)
    kernel.choose("pure")
    assert compiled == _entries(block, limit, parse, alone)


@given(_blocks, st.integers(0, 2**40), st.sampled_from([60, 256 * 1024]), st.integers(0, 255))
def test_both_keep_the_same_rows(block: bytes, start: int, limit: int, some: int) -> None:
    def kept() -> list[object]:
        rows = _rows(block, start, limit)
        rows = replace(rows, fields=Parsed(rows.texts))
        mask = [some >> row & 1 for row in range(len(rows))]
        rows = keep(rows, mask)
        rest = keep(rows, [row % 2 for row in range(len(rows))])
        return [*_seen(rows), list(rows.fields or ()), *_seen(rest), list(rest.fields or ())]

    kernel.choose("compiled")
    compiled = kept()
    kernel.choose("pure")
    assert compiled == kept()


@given(_blocks, st.booleans(), st.sampled_from([None, 20, 1000]), st.integers(0, 255))
def test_both_make_the_same_entries_of_some_rows(
    block: bytes, parse: bool, longest: int | None, some: int
) -> None:
    kernel.choose("compiled")
    compiled = _entries(block, 256 * 1024, parse, True, longest, some)
    kernel.choose("pure")
    assert compiled == _entries(block, 256 * 1024, parse, True, longest, some)


_lines_of_objects = st.builds(
    lambda time, stream, text: f"{time} {stream} F ".encode() + text + b"\n",
    st.sampled_from(
        ["2026-11-23T04:46:31.1Z", "2026-11-24T00:00:00Z", "2026-11-23T04:46:31+01:00"]
    ),
    st.sampled_from(["stdout", "stderr"]),
    st.one_of(special_objects(), special_objects(), _broken(special_objects())).map(
        lambda text: text.replace(b"\n", b"")
    ),
)


@given(_blocks, st.booleans(), st.sampled_from([0, 20, 60, 1000]))
def test_both_make_the_same_entries_of_parsed_rows(block: bytes, parse: bool, longest: int) -> None:
    kernel.choose("compiled")
    compiled = _entries(block, 256 * 1024, parse, True, longest)
    kernel.choose("pure")
    assert compiled == _entries(block, 256 * 1024, parse, True, longest)


@settings(max_examples=400)
@given(st.lists(_lines_of_objects, max_size=6).map(b"".join), st.booleans())
def test_both_lift_the_same_of_special_fields(block: bytes, alone: bool) -> None:
    kernel.choose("compiled")
    compiled = _entries(block, 256 * 1024, True, alone)
    kernel.choose("pure")
    assert compiled == _entries(block, 256 * 1024, True, alone)
