"""Gives the compiled kernel blocks with changed bytes, and compares with the pure one.

    fuzz_kernel.py COUNT [SEED]

Run by `test_kernel_under_sanitizers.py` with a kernel that watches its memory.
"""

import random
import sys
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
from logship.rows import _kernel, kernel
from logship.rows.address import Generation, Span, time_ns
from logship.rows.index import Cutting, index

if TYPE_CHECKING:
    from logship.rows._kernel import Fields

TEXTS = (
    b"", b"x", b"hello world", "日本語 \U0001f600".encode(), b'quote " and \\ and \x01\x1f\x7f',
    b"E1123 04:46:31.123456   1 main.go:1] failed", b"{", b"{}", b'{"a":1,"b":2,"c":3}',
    b'{"severity":"INFO","message":"m","n":[1,2,{"x":null}],"t":true}',
    b'{"time":"2026-11-23T04:46:31Z","level":"warn","message":"m","a":"\\u65e5\\n","b":-1.5}',
    b'{"logging.googleapis.com/trace":"' + b"0" * 32 + b'","a":1,"b":2,"c":"' + b"y" * 90 + b'"}',
    b'{"a":1,"b":2,"httpRequest":{"requestMethod":"GET","status":200,"latency":"1.5s"},"d":3}',
    b'{"httpRequest":{"latency":"1.123456789s"},"a":1,"logging.googleapis.com/labels":{"a":"b"}}',
    b'{"httpRequest" : { "latency" : "0s","cacheHit":true , "responseSize":99 } ,"a":1,"b":"\\n"}',
    b'{"logging.googleapis.com/operation":{"id":"x","first":true},"a":1,"b":2,'
    b'"logging.googleapis.com/sourceLocation":{"file":"f","line":7},"timestamp":"2026-11-23T04:46:31.5Z"}',
    b'{"logging.googleapis.com/spanId":"1","a":1,"logging.googleapis.com/trace_sampled":false,"b":2}',
    b'{"message":"m","severity":"INFO","logging.googleapis.com/labels":{"a":"b"},"trace":""}',
    b'{"time":"2026-11-23T04:46:31.123456789Z","severity":"INFO","a":1,"b":2,"trace":"'
    + b"aF" * 16 + b'"}',
    b'{"msg":"\\u0001\\ud83d\\ude00\\/","trace":"\\u65e5","time":"2026-11-23T04:46:31.1234567+05:30"}',
    b'{"time":1795409191,"span_id":"s","severity":"' + b"w" * 90 + b'","lvl":[1,2],"message":""}',
    b'{"a":' + b"[" * 40 + b"]" * 40 + b',"b":1,"c":2}', b"z" * 700,
)  # fmt: skip
CUTS = (
    b"\n",
    b" ",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"\xff",
    b"\xe6",
    b"\x00",
    b"P ",
    b"9",
    b"0",
    b"s",
    b"true",
    b"\\u005a",
)
TRACE_KEYS = ("logging.googleapis.com/trace", "trace")
GENERATION = Generation(time_ns("2026-11-23T04:46:31Z"), 0xABCD1234)
NOW_NS = time_ns("2026-11-23T05:00:00Z")
EXTRACTOR = Extractor()


def a_block(dice: random.Random) -> bytes:
    lines = [
        b"2026-11-23T04:46:%02d.%dZ %s %s %s\n"
        % (dice.randrange(60), dice.randrange(10**6), dice.choice((b"stdout", b"stderr")),
           dice.choice((b"F", b"F", b"F", b"P")), dice.choice(TEXTS))
        for _ in range(dice.randrange(1, 12))
    ]  # fmt: skip
    block = bytearray(b"".join(lines))
    for _ in range(dice.choice((0, 0, 1, 2, 5))):
        at = dice.randrange(len(block))
        block[at : at + dice.choice((0, 1, 1, 3))] = dice.choice(CUTS)
    return bytes(block)


def a_growing_block() -> bytes:
    """Rows of which what is lifted is larger than they were: it soon needs all the room it has."""
    text = b'{"trace":"' + b"0" * 32 + b'","httpRequest":{"latency":"1s"}}'
    return b"".join(b"2026-11-23T04:46:31.%dZ stdout F %s\n" % (n, text) for n in range(1, 300))


def seen(block: bytes, limit: int, parse: bool) -> object:
    labels = Labels({"cluster": "c", "namespace": "n", "pod": "p", "container": "app"})
    span = Span(GENERATION, 0, len(block))
    cutting = Cutting(max_row_bytes=limit)
    batch = Batch(Origin("c/uid/app/0", labels), labels, (span,), block, cutting)
    rows = index(block, (span,), cutting)
    columns = [*zip(rows.ids("0" * 12), rows.times, rows.streams, rows.texts, strict=True)]
    reader = Reader("project-" * 10, ("severity", "level"), TRACE_KEYS, parse)
    body = encode(batch, frame_of(batch, Place("p", "l", "c")), reader, now_ns=NOW_NS, alone=True)
    return columns, dict(rows.marks), orjson.loads(b"[" + body.body + b"]")


def columns_seen(block: bytes, json_columns: JsonColumns) -> object:
    """The rows as records, and the cells of their columns."""
    labels = Labels({"cluster": "c", "label:app": "x"})
    batch = Batch(
        Origin("c/u/app/0", labels), labels, (Span(GENERATION, 0, len(block)),), block, Cutting()
    )
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


def main(count: int, seed: int) -> None:
    dice = random.Random(seed)
    for number in range(count):
        block, limit, parse = a_block(dice), dice.choice((200, 262_144)), dice.random() < 0.7
        if number == 0:
            block, limit, parse = a_growing_block(), 262_144, True
        found = []
        for kind in ("compiled", "pure"):
            kernel.choose(kind)
            json_columns: JsonColumns = "text" if parse else "value"
            found.append((seen(block, limit, parse), columns_seen(block, json_columns)))
        if found[0] != found[1]:
            raise SystemExit(f"seed {seed}, number {number}: the kernels differ on {block!r}")
    print(f"{count} blocks, seed {seed}, sanitized: {_kernel.__file__}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2**32))
