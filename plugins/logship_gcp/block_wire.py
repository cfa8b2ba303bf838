"""The MessagePack part of the block format: the header, and rows as columns.

Types and limits stand in the classes, so that decoding checks them before anything else is done.
"""

from typing import Annotated, Literal, cast

import msgspec
from msgspec import Meta

from logship.api import Generation, Joins, Mark, Rows, is_time

MAX_PAYLOAD_BYTES = 64 * 1024 * 1024
MAX_ROWS = 1024 * 1024
"""Of one message: a row of one byte becomes some hundred bytes of objects."""

Format = Literal["cri", "docker", "plain"]
_Offset = Annotated[int, Meta(ge=0, lt=2**48)]
_LabelMap = Annotated[dict[str, str], Meta(max_length=4096)]
_Stream = Literal["stdout", "stderr"]
_Row = Annotated[int, Meta(ge=0, lt=MAX_ROWS)]
_Column = Annotated[list[str], Meta(max_length=MAX_ROWS)]


class PackedGeneration(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    # Two numbers, because a hostile time of the year 9999 does not fit 64 bits of nanoseconds.
    seconds: Annotated[int, Meta(ge=-(10**11), le=3 * 10**11)]
    nanos: Annotated[int, Meta(ge=0, lt=10**9)]
    digest: Annotated[int, Meta(ge=0, lt=2**32)]


class Piece(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    generation: PackedGeneration
    start: _Offset
    end: _Offset


class PackedCutting(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    format: Format
    max_row_bytes: Annotated[int, Meta(ge=1, le=MAX_PAYLOAD_BYTES)]


class PackedJoins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language or a bound that this reader does not know makes it refuse the block."""

    languages: Annotated[tuple[str, ...], Meta(max_length=64)]
    first_line: Annotated[str, Meta(max_length=1024)]
    max_rows: Annotated[int, Meta(ge=1, le=MAX_ROWS)]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the payload is. Readers skip keys they do not know."""

    kind: Literal["block", "columns"]
    codec: Literal["zstd", "none"]
    size: Annotated[int, Meta(ge=0, le=MAX_PAYLOAD_BYTES)]
    """Bytes of the payload once decompressed."""
    count: Annotated[int, Meta(ge=0, le=MAX_ROWS)]
    """Rows of `columns`; physical lines of `block`, which are at least as many as its rows."""
    origin: str
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{12}$")]
    labels: _LabelMap
    extra: _LabelMap
    pieces: Annotated[tuple[Piece, ...], Meta(max_length=64 * 1024)]
    cutting: PackedCutting
    route: str
    mtime_ns: int
    joins: PackedJoins | msgspec.UnsetType = msgspec.UNSET
    """Absent where rows are not joined, and in blocks of agents that could not."""


class _Columns(msgspec.Struct, frozen=True, kw_only=True):
    generation: PackedGeneration
    offsets: Annotated[list[_Offset], Meta(max_length=MAX_ROWS)]
    times: _Column
    streams: Annotated[list[_Stream], Meta(max_length=MAX_ROWS)]
    texts: _Column
    ids: _Column | None
    marks: list[tuple[_Row, Annotated[int, Meta(ge=1, le=7)]]]
    elsewhere: list[tuple[_Row, PackedGeneration]]


_columns_decoder = msgspec.msgpack.Decoder(_Columns)


def packed_joins(joins: Joins | None) -> PackedJoins | msgspec.UnsetType:
    if joins is None:
        return msgspec.UNSET
    return PackedJoins(joins.languages, joins.first_line, joins.max_rows)


def unpacked_joins(packed: PackedJoins | msgspec.UnsetType) -> Joins | None:
    """Raises ValueError for a language that is not known, or a pattern that cannot be used."""
    if not isinstance(packed, PackedJoins):
        return None
    return Joins(packed.languages, packed.first_line, packed.max_rows)


def packed_generation(generation: Generation) -> PackedGeneration:
    seconds, nanos = divmod(generation.time_ns, 1_000_000_000)
    return PackedGeneration(seconds, nanos, generation.digest)


def unpacked_generation(packed: PackedGeneration) -> Generation:
    return Generation(packed.seconds * 1_000_000_000 + packed.nanos, packed.digest)


def encode_columns(rows: Rows) -> bytes:
    return msgspec.msgpack.encode(
        _Columns(
            generation=packed_generation(rows.generation),
            offsets=list(rows.offsets),
            times=list(rows.times),
            streams=cast(list[_Stream], list(rows.streams)),
            texts=[_encodable(text) for text in rows.texts],
            ids=None if rows.given_ids is None else list(rows.given_ids),
            marks=[(row, _bits(mark)) for row, mark in rows.marks.items() if _bits(mark)],
            elsewhere=[(row, packed_generation(old)) for row, old in rows.elsewhere.items()],
        )
    )


def _encodable(text: str) -> str:
    """A transform may make a lone surrogate of an escape in JSON; UTF-8 has no way to write one."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _bits(mark: Mark) -> int:
    return mark.malformed | mark.unfinished << 1 | mark.cut << 2


def _mark(bits: int) -> Mark:
    return Mark(bool(bits & 1), bool(bits & 2), bool(bits & 4))


def decode_columns(payload: bytes, count: int) -> Rows:
    try:
        columns = _columns_decoder.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"the columns are damaged: {error}") from error
    lengths = {len(c) for c in (columns.offsets, columns.times, columns.streams, columns.texts)}
    if columns.ids is not None:
        lengths.add(len(columns.ids))
    rows = {row for row, _ in columns.marks} | {row for row, _ in columns.elsewhere}
    if lengths != {count} or (rows and max(rows) >= count):
        raise ValueError(f"columns of {sorted(lengths)} rows, not {count} as the header says")
    for time in columns.times:
        if time and not is_time(time):
            raise ValueError(f"{time[:64]!r} is not a time")
    elsewhere = {row: unpacked_generation(g) for row, g in columns.elsewhere}
    return Rows(
        unpacked_generation(columns.generation),
        columns.offsets,
        columns.times,
        columns.streams,
        columns.texts,
        marks={row: _mark(bits) for row, bits in columns.marks},
        elsewhere=elsewhere,
        given_ids=columns.ids,
    )
