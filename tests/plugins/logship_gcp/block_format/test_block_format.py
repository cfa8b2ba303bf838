"""The block format: what is encoded is decoded, and hostile bytes are a ValueError."""

from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from logship_gcp.block_format import (
    HEADER_AT,
    MAGIC,
    decode,
    encode,
    read_header,
)
from logship_gcp.block_wire import MAX_PAYLOAD_BYTES, MAX_ROWS

from logship.api import Batch, Cutting, Generation, Labels, Mark, Origin, Rows, Span

# Generations of malformed rows give the rows their time, which must be of a year that exists.
generations = st.builds(Generation, st.integers(0, 2**67), st.integers(0, 2**32 - 1))
names = st.text(st.characters(codec="utf-8"), max_size=12)
label_maps = st.dictionaries(names, names, max_size=5)
texts = st.binary(max_size=30).map(lambda text: text.replace(b"\n", b""))
cri_lines = st.builds(
    lambda second, nanos, stream, tag, text: (
        f"2026-11-23T05:12:{second:02d}.{nanos}Z {stream} {tag} ".encode() + text
    ),
    st.integers(0, 59),
    st.integers(0, 999_999_999),
    st.sampled_from(["stdout", "stderr"]),
    st.sampled_from("FFFP"),
    texts,
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """An untouched batch of up to three pieces: real lines, hostile bytes."""
    lists = draw(st.lists(st.lists(cri_lines | texts, min_size=1, max_size=8), max_size=3))
    blocks = [b"\n".join([*lines, b""]) for lines in lists]
    starts = [draw(st.integers(0, 2**40)) for _ in blocks]
    labels = Labels(draw(label_maps))
    return Batch(
        origin=Origin(draw(names), labels),
        labels=labels,
        pieces=tuple(
            Span(draw(generations), start, start + len(block))
            for start, block in zip(starts, blocks, strict=True)
        ),
        block=b"".join(blocks),
        cutting=Cutting(draw(st.sampled_from(["cri", "plain"])), draw(st.integers(10, 2**20))),
        mtime_ns=draw(st.integers(0, 2**62)),
        extra=draw(label_maps),
    )


def small_batch() -> Batch:
    block = b"2026-11-23T05:12:01.5Z stdout F one\n2026-11-23T05:12:02Z stderr F two\n"
    return Batch(
        Origin("c/uid/app/0", Labels({})),
        Labels({"namespace": "shop", "route": "app"}),
        (Span(Generation(1_795_410_721_500_000_000, 7), 100, 100 + len(block)),),
        block,
        Cutting("cri"),
        mtime_ns=5,
        route="app",
    )


def repacked(body: bytes, **changes: Any) -> bytes:
    """The body with other values in its header."""
    _, start = read_header(body)
    fields = msgspec.msgpack.decode(body[HEADER_AT:start]) | changes
    header = msgspec.msgpack.encode(fields)
    return body[:5] + len(header).to_bytes(4) + header + body[start:]


def same(left: Batch, right: Batch) -> None:
    assert left.origin.key == right.origin.key
    assert left.origin.digest == right.origin.digest
    assert left.labels == right.labels
    assert (left.pieces, left.cutting, left.mtime_ns) == (
        right.pieces, right.cutting, right.mtime_ns
    )  # fmt: skip
    assert dict(left.extra) == dict(right.extra)
    assert left.touched == right.touched


@given(batches(), st.sampled_from(["zstd", "none"]))
def test_an_untouched_batch_comes_back_byte_for_byte_with_its_ids(batch: Batch, codec: Any) -> None:
    found = decode(encode(batch, codec=codec))
    same(found, batch)
    assert found.block == batch.block
    if all(piece.generation.time_ns < 2**57 for piece in batch.pieces) and batch.pieces:
        assert found.ids() == batch.ids()
        assert found.rows == batch.rows


@given(batches(), st.data())
def test_a_touched_batch_comes_back_with_its_rows(batch: Batch, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 6))
    row = st.integers(0, max(0, count - 1))
    column = st.lists(names, min_size=count, max_size=count)
    marks = st.builds(Mark, st.booleans(), st.booleans(), st.booleans()).filter(
        lambda mark: mark != Mark()
    )
    rows = Rows(
        data.draw(generations),
        data.draw(st.lists(st.integers(0, 2**48 - 1), min_size=count, max_size=count)),
        ["2026-11-23T05:12:01.000000001+02:00"] * count,
        data.draw(st.lists(st.sampled_from(["stdout", "stderr"]), min_size=count, max_size=count)),
        data.draw(column),
        marks=data.draw(st.dictionaries(row, marks)) if count else {},
        elsewhere=data.draw(st.dictionaries(row, generations)) if count else {},
        given_ids=data.draw(st.none() | column),
    )
    touched = batch.with_rows(rows)
    found = decode(encode(touched))
    same(found, touched)
    assert found.rows == rows
    assert found.ids() == touched.ids()


@given(st.binary(max_size=200))
def test_bytes_that_are_no_block_are_a_value_error(body: bytes) -> None:
    for hostile in (body, MAGIC + body, MAGIC + b"\x01" + body):
        with pytest.raises(ValueError, match=r"."):
            decode(hostile)


@given(
    st.booleans(),
    st.sampled_from(["zstd", "none"]),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 3),
)
def test_a_damaged_block_is_read_or_a_value_error(
    touched: bool, codec: Any, changes: list[tuple[int, int]], cut: int
) -> None:
    batch = small_batch().keep([1, 0]) if touched else small_batch()
    body = bytearray(encode(batch, codec=codec))
    for at, byte in changes:
        body[at % len(body)] = byte
    try:
        found = decode(bytes(body[: len(body) - cut]))
    except ValueError:
        return
    assert len(found.rows) == len(found.ids())


def test_a_frame_that_says_less_than_the_header_is_refused_before_it_is_unpacked() -> None:
    bomb = zstandard.compress(bytes(50_000_000))
    body = encode(small_batch())
    _, start = read_header(body)
    with pytest.raises(ValueError, match="a zstd frame of 50000000 bytes"):
        decode(body[:start] + bomb)


def test_a_frame_without_its_size_is_refused() -> None:
    body = encode(small_batch())
    _, start = read_header(body)
    frame = zstandard.ZstdCompressor(write_content_size=False).compress(small_batch().block)
    with pytest.raises(ValueError, match="zstd frame"):
        decode(body[:start] + frame)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size": MAX_PAYLOAD_BYTES + 1}, "header is damaged"),
        ({"digest": "XYZ"}, "header is damaged"),
        ({"count": MAX_ROWS + 1}, "header is damaged"),
        ({"count": 3}, "2 lines, not 3"),
        ({"pieces": []}, "do not add up"),
        ({"pieces": [[[0, 0, 0], 5, 4], [[0, 0, 0], 0, 71]]}, "ends before it starts"),
        ({"pieces": [[[0, 0, 0], 0, 2**48]]}, "header is damaged"),
        ({"cutting": ["csv", 100]}, "header is damaged"),
        ({"cutting": ["cri", 0]}, "header is damaged"),
        ({"codec": "lzma"}, "header is damaged"),
        ({"labels": {"a": [[[[[[]]]]]]}}, "header is damaged"),
        ({"kind": "columns"}, "columns are damaged"),
    ],
)
def test_a_header_that_cannot_be_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(repacked(encode(small_batch()), **changes))


def test_keys_of_a_later_minor_writer_are_skipped() -> None:
    assert decode(repacked(encode(small_batch()), colour="red")).block == small_batch().block


def test_another_version_says_what_to_do() -> None:
    body = bytearray(encode(small_batch()))
    body[4] = 2
    with pytest.raises(ValueError, match="block format 2; this reader knows 1: update the loader"):
        decode(bytes(body))


def test_nesting_without_end_is_a_value_error() -> None:
    header = b"\x81\xa1a" + b"\x91" * 500_000
    with pytest.raises(ValueError, match="damaged"):
        decode(MAGIC + b"\x01" + len(header).to_bytes(4) + header)


def test_the_documented_bytes_are_the_bytes() -> None:
    """The example of docs/block-format.md, so that the page stays true."""
    body = encode(small_batch(), codec="none")
    assert body[:9] == bytes.fromhex("8a4c534201000000b1")
    header, start = read_header(body)
    assert int.from_bytes(body[5:9]) == start - 9
    assert msgspec.msgpack.decode(body[9:start]) == {
        "kind": "block",
        "codec": "none",
        "size": 70,
        "count": 2,
        "origin": "c/uid/app/0",
        "digest": small_batch().origin.digest,
        "labels": {"namespace": "shop", "route": "app"},
        "extra": {},
        "pieces": [[[1_795_410_721, 500_000_000, 7], 100, 170]],
        "cutting": ["cri", 262144],
        "route": "app",
        "mtime_ns": 5,
    }
    assert body[start:] == small_batch().block
    assert header.route == "app"


def test_a_lone_surrogate_does_not_stop_a_touched_batch() -> None:
    batch = small_batch()
    rows = Rows(batch.pieces[0].generation, [0], [""], ["stdout"], ["a\ud800b"])
    assert decode(encode(batch.with_rows(rows))).rows.texts == ["a?b"]
