"""Gives the compiled kernel inputs, in a process whose kernel watches its memory.

    fuzz_kernel.py random COUNT [SEED]
    fuzz_kernel.py replay PATH...        files, or directories of files

`random` changes, doubles and takes out bytes of blocks; `replay` repeats what fuzzers found. Both
hold the compiled kernel against the pure one. Run by `test_kernel_under_sanitizers.py`.
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

from logship.rows import _kernel
from tests.sanitizers.kernel_target import PARSE, SHORT_ROWS, compared

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


def random_inputs(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    dice = random.Random(seed)
    yield "growing", bytes([PARSE]) + a_growing_block()
    for number in range(1, count):
        choices = dice.choice((0, SHORT_ROWS)) | (PARSE if dice.random() < 0.7 else 0)
        yield f"seed {seed}, number {number}", bytes([choices]) + a_block(dice)


def kept_inputs(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path.is_dir():
            yield from kept_inputs(sorted(path.iterdir()))
        else:
            yield str(path), path.read_bytes()


def main(way: str, *of: str) -> None:
    if way == "replay":
        inputs = kept_inputs([*map(Path, of)])
    else:
        inputs = random_inputs(int(of[0]), int(of[1]) if of[1:] else random.randrange(2**32))
    count, name = 0, ""
    for name, given in inputs:
        try:
            compared(given)
        except BaseException:
            print(f"{name}:", file=sys.stderr)
            raise
        count += 1
    print(f"{count} inputs, the last one {name}, sanitized: {_kernel.__file__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
