"""A batch as one message body: a versioned header, then the compressed bytes as they were read.

docs/block-format.md describes it byte for byte. Where no transform changed rows the payload is the
block itself and the reader finds the rows with the kernel the agent would have used, so that ids,
times and texts are the same by construction; otherwise the payload carries the rows as columns.

`decode` gets bytes from a network: every length in them is held against a limit before anything is
allocated, and whatever is wrong with them is a ValueError with a reason.
"""

from typing import Literal, cast

import msgspec
import zstandard

from logship.api import Batch, Cutting, Labels, Origin, Span, line_count
from logship_gcp.block_wire import (
    MAX_ROWS,
    Format,
    Header,
    PackedCutting,
    Piece,
    decode_columns,
    encode_columns,
    packed_generation,
    packed_joins,
    unpacked_generation,
    unpacked_joins,
)

MAGIC = b"\x8aLSB"
VERSION = 1
HEADER_AT = 9
"""Magic, version (1 byte), length of the header (4 bytes, big endian)."""
MAX_HEADER_BYTES = 1024 * 1024
MAX_WINDOW_BYTES = 8 * 1024 * 1024
_header_decoder = msgspec.msgpack.Decoder(Header)
_compressors: dict[int, list[zstandard.ZstdCompressor]] = {}


def encode(batch: Batch, *, codec: Literal["zstd", "none"] = "zstd", level: int = 1) -> bytes:
    """The body of one message. Runs in a thread: compressing releases the GIL."""
    if batch.touched:
        payload, count = encode_columns(batch.rows), len(batch.rows)
    else:
        payload, count = batch.block, line_count(batch.block)
    header = msgspec.msgpack.encode(_header(batch, codec, len(payload), count))
    body = _compress(payload, level) if codec == "zstd" else payload
    return b"".join((MAGIC, bytes((VERSION,)), len(header).to_bytes(4), header, body))


def decode(body: bytes) -> Batch:
    """The batch that was encoded. Raises ValueError for anything that `encode` cannot have made."""
    header, start = read_header(body)
    payload = _decompress(body[start:], header)
    batch = Batch(
        origin=Origin(header.origin, Labels(header.labels), header.digest),
        labels=Labels(header.labels),
        pieces=tuple(
            Span(unpacked_generation(p.generation), p.start, p.end) for p in header.pieces
        ),
        block=payload,
        cutting=Cutting(
            header.cutting.format, header.cutting.max_row_bytes, unpacked_joins(header.joins)
        ),
        mtime_ns=header.mtime_ns,
        extra=header.extra,
    )
    if header.kind == "columns":
        return batch.with_rows(decode_columns(payload, header.count))
    _check_block(batch, header.count)
    return batch


def _check_block(batch: Batch, count: int) -> None:
    if any(piece.end < piece.start for piece in batch.pieces):
        raise ValueError("a piece ends before it starts")
    if sum(span.size for span in batch.pieces) != len(batch.block):
        raise ValueError(f"the pieces do not add up to the block's {len(batch.block)} bytes")
    if (lines := line_count(batch.block)) != count:
        raise ValueError(f"a block of {lines} lines, not {count}")
    if count + len(batch.block) // batch.cutting.max_row_bytes > MAX_ROWS:
        raise ValueError(f"more than {MAX_ROWS} rows")


def is_block(body: bytes) -> bool:
    """Whether the body says that it is a block; no text in UTF-8 does."""
    return body.startswith(MAGIC)


def read_header(body: bytes) -> tuple[Header, int]:
    """(the header, where the payload starts). Raises ValueError."""
    if not is_block(body) or len(body) < HEADER_AT:
        raise ValueError("not a block: it does not begin with 8A 4C 53 42")
    if body[4] != VERSION:
        raise ValueError(f"block format {body[4]}; this reader knows {VERSION}: update the loader")
    size = int.from_bytes(body[5:HEADER_AT])
    if size > MAX_HEADER_BYTES or HEADER_AT + size > len(body):
        raise ValueError(f"a header of {size} bytes in a body of {len(body)}")
    try:
        header = _header_decoder.decode(body[HEADER_AT : HEADER_AT + size])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"the header is damaged: {error}") from error
    return header, HEADER_AT + size


def _header(batch: Batch, codec: Literal["zstd", "none"], size: int, count: int) -> Header:
    return Header(
        kind="columns" if batch.touched else "block",
        codec=codec,
        size=size,
        count=count,
        origin=batch.origin.key,
        digest=batch.origin.digest,
        labels=dict(batch.labels.values),
        extra=dict(batch.extra),
        pieces=tuple(Piece(packed_generation(g), start, end) for g, start, end in batch.pieces),
        cutting=PackedCutting(cast(Format, batch.cutting.format), batch.cutting.max_row_bytes),
        route=batch.route,
        mtime_ns=batch.mtime_ns,
        joins=packed_joins(batch.cutting.joins),
    )


def _compress(payload: bytes, level: int) -> bytes:
    """A compressor serves one thread at a time; making one costs a megabyte of fresh pages."""
    idle = _compressors.setdefault(level, [])
    try:
        compressor = idle.pop()
    except IndexError:
        compressor = zstandard.ZstdCompressor(compression_params=_parameters(level))
    try:
        return compressor.compress(payload)
    finally:
        idle.append(compressor)


def _parameters(level: int) -> zstandard.ZstdCompressionParameters:
    """Of level 1, a table of matches that fits into the processor's first cache: 10 % faster on
    logs, and as small.
    """
    if level != 1:
        return zstandard.ZstdCompressionParameters.from_level(level)
    return zstandard.ZstdCompressionParameters.from_level(1, hash_log=13, min_match=6)


def _decompress(packed: bytes, header: Header) -> bytes:
    payload = packed if header.codec == "none" else _unzstd(packed, header.size)
    if len(payload) != header.size:
        raise ValueError(f"a payload of {len(payload)} bytes, not {header.size} as the header says")
    return payload


def _unzstd(packed: bytes, size: int) -> bytes:
    try:
        # The frame's own size rules what is allocated, so it is checked before.
        frame = zstandard.get_frame_parameters(packed)
        if frame.content_size != size or frame.window_size > max(size, MAX_WINDOW_BYTES):
            raise ValueError(f"a zstd frame of {frame.content_size} bytes, not {size}")
        return zstandard.ZstdDecompressor().decompress(packed, size, allow_extra_data=False)
    except (zstandard.ZstdError, MemoryError) as error:
        raise ValueError(f"the payload is damaged: {error}") from error
