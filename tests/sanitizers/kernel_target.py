"""What every fuzzer of the compiled kernel calls, with one input: `compiled_alone` or `compared`.

An input is a byte of choices and a block. Where the choice is HEADS, what follows are only texts,
a line each, and the heads of CRI lines are put before them: a fuzzer then spends its time on what
lies in rows, not on finding rows again. Each input goes through all that the compiled kernel does;
`compared` holds what came of it against the pure one.
"""

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import orjson
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.own_time import known_times
from logship_gcp.bigquery.tabled import COLUMNS, NUMBER, fields_of
from logship_gcp.cloud_logging.entries import encode
from logship_gcp.cloud_logging.frames import Place, frame_of
from logship_gcp.cloud_logging.special import Reader
from logship_gcp.pubsub import outgoing, wire
from logship_gcp.pubsub.framed import frames_of
from logship_gcp.pubsub.record import JsonColumns, encode_rows

from logship.api import Batch, Labels, Origin
from logship.routes.conditions import Selection
from logship.routes.when import Condition
from logship.rows import kernel
from logship.rows.address import Generation, Span, time_ns
from logship.rows.index import Cutting

if TYPE_CHECKING:
    from logship.rows._kernel import Fields

TRACE_KEYS = ("logging.googleapis.com/trace", "trace")
GENERATION = Generation(time_ns("2026-11-23T04:46:31Z"), 0xABCD1234)
NOW_NS = time_ns("2026-11-23T05:00:00Z")
EXTRACTOR = Extractor()
SELECTION = Selection(
    Condition(severity=("INFO", "ERROR"), json={"message": "*"}),
    (Condition(stream="stderr", json={"trace": "*", "a": "1*"}),),
)
LABELS = Labels(
    {"cluster": "c", "namespace": "n", "pod": "p", "container": "app", "label:app": "x"}
)


@cache
def reader_of(parse: bool) -> Reader:
    return Reader("project-" * 10, ("severity", "level"), TRACE_KEYS, parse)


def entries_seen(batch: Batch, parse: bool) -> object:
    """The rows in Python's values, and as entries."""
    rows = batch.rows
    columns = [*zip(rows.ids("0" * 12), rows.times, rows.streams, rows.texts, strict=True)]
    frame = frame_of(batch, Place("p", "l", "c"))
    body = encode(batch, frame, reader_of(parse), now_ns=NOW_NS, alone=True)
    return columns, dict(rows.marks), orjson.loads(b"[" + body.body + b"]")


def columns_seen(batch: Batch, json_columns: JsonColumns) -> object:
    """The rows as records, and the cells of their columns."""
    found = fields_of(batch, EXTRACTOR)
    framed = frames_of(batch, EXTRACTOR, json_columns, NOW_NS, b"")
    if found is not None and framed is not None:
        cells = [cells_seen(kernel.cells_of(found, NUMBER[name])) for name in COLUMNS]
        return framed[0], [*zip(*cells, strict=True)], micros_seen(found)
    made = [*encode_rows(batch, EXTRACTOR, json_columns, NOW_NS)]
    columns, rows = EXTRACTOR.columns(batch.rows.texts, batch.rows.streams), batch.rows
    times = known_times(columns.event_times)
    return (
        b"".join(wire.message(body, outgoing.insert_id(row)) for row, body in made),
        [*zip(columns.severities, times, columns.messages, columns.traces, columns.span_ids,
              columns.payloads, rows.streams, batch.ids(), rows.times, strict=True)],
        [None if time is None else time_ns(time) for time in times],
    )  # fmt: skip


def cells_seen(column: tuple[bytes | None, bytes, bytes, int]) -> list[str | None]:
    validity, offsets, content, _ = column
    ends = memoryview(offsets).cast("i")
    return [
        content[start:end].decode() if validity is None or validity[n >> 3] >> (n & 7) & 1 else None
        for n, (start, end) in enumerate(pairwise(ends))
    ]


def micros_seen(found: "Fields") -> list[int | None]:
    """The application's times in nanoseconds."""
    validity, micros, nanos, _ = kernel.times_of(found, NUMBER["event_time"])
    times = zip(memoryview(micros).cast("q"), memoryview(nanos).cast("q"), strict=True)
    return [
        whole * 1000 + left if validity is None or validity[n >> 3] >> (n & 7) & 1 else None
        for n, (whole, left) in enumerate(times)
    ]


def taken_seen(batch: Batch) -> object:
    """The rows that conditions on fields and severities take."""
    rows = SELECTION.apply(batch).rows
    return [*zip(rows.offsets, rows.texts, strict=True)]


SHORT_ROWS, PARSE, HEADS = 1, 2, 4
HEAD = b"2026-11-23T04:46:31.%dZ %s %s "
FIRST = HEAD % (0, b"stdout", b"F") + b"x" * 512 + b"\n"
"""Small objects lie in Python's own pools, where AddressSanitizer does not see what is read behind
them. With this row the block is no small object, nor is what becomes of it."""
MAX_LINES = 64
"""With heads: else a few bytes would be much work, and the fuzzer slow."""


def block_of(given: bytes) -> bytes:
    if not given or not given[0] & HEADS:
        return given[1:]
    lines = [FIRST]
    for n, line in enumerate(given[1:].split(b"\n", MAX_LINES)[:MAX_LINES]):
        kind = line[0] if line else 0
        head = HEAD % (n + 1, (b"stdout", b"stderr")[kind & 1], (b"F", b"P")[kind >> 1 & 1])
        lines.append(head + line[1:] + b"\n")
    return b"".join(lines)


def result_of(given: bytes, kind: str) -> object:
    """What the kernel makes of an input; an empty block is none, and has no result."""
    kernel.choose(kind)
    if not (block := block_of(given)):
        return None
    cutting = Cutting(max_row_bytes=200 if given[0] & SHORT_ROWS else 262_144)
    span, parse = Span(GENERATION, 0, len(block)), bool(given[0] & PARSE)
    batch = Batch(Origin("c/uid/app/0", LABELS), LABELS, (span,), block, cutting)
    columns = columns_seen(batch, "text" if parse else "value")
    return entries_seen(batch, parse), columns, taken_seen(batch)


def compiled_alone(given: bytes) -> None:
    result_of(given, "compiled")


def compared(given: bytes) -> None:
    if result_of(given, "compiled") != result_of(given, "pure"):
        raise SystemExit(f"the kernels differ on {given!r}, which is {block_of(given)!r}")
