"""What this machine needs at least for the same bytes, measured in the same minutes.

    read       read(2) from the page cache
    scan       the same, and Python's count of newlines
    parse      read(2), and the row kernel's strict index: the leanest honest reading of CRI lines.
               It takes memchr(3) from line to line, which is less than Python's count takes.
    igzip      level 1, the fastest deflate there is
    zstd       level 1 of blocks of 256 KiB; `unzstd` the other way
    loopback   send(2) over TCP to a receiver that throws away
    calibrate  a mix of what an agent in Python does, none of it our code: what CI compares with

All in MB (10^6 bytes) per CPU-second of one thread, the best of three.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import orjson
import zstandard
from isal import igzip

from logship.rows import kernel
from logship.rows.lines import cri

BLOCK = 256 * 1024
_SAMPLE_BYTES = 64_000_000
_BODY = 1024 * 1024
_SENT_BYTES = 512 * _BODY
_REPEAT = 3


def limits(paths: Iterable[Path]) -> Mapping[str, float]:
    """Of these files; a sample of them is enough."""
    whole = list(blocks(paths))
    packed = [zstandard.compress(block, 1) for block in whole]
    size = sum(map(len, whole))
    parts: Mapping[str, Callable[[], object]] = {
        "read": partial(_scan, paths, None),
        "scan": partial(_scan, paths, b"\n"),
        "parse": partial(_parse, paths),
        "igzip": partial(_each, whole, partial(igzip.compress, compresslevel=1)),
        "zstd": partial(_each, whole, zstandard.ZstdCompressor(level=1).compress),
        "unzstd": partial(_each, packed, zstandard.ZstdDecompressor().decompress),
        "calibrate": partial(_each, whole, columns),
    }
    found = {name: _speed(run, size) for name, run in parts.items()}
    return {**found, "loopback": loopback()}


def needed_secs(
    wanted: Mapping[str, float], found: Mapping[str, float], log: int, body: int, wire: int
) -> float:
    """CPU-seconds without which so many bytes cannot be shipped; `wanted`: `paths.Path.limit`."""
    sizes = {"igzip": body, "loopback": wire}
    return sum(times * sizes.get(part, log) / 1e6 / found[part] for part, times in wanted.items())


def _speed(run: Callable[[], object], size: int) -> float:
    best = float("inf")
    for _ in range(_REPEAT):
        start = time.thread_time()
        run()
        best = min(best, time.thread_time() - start)
    return size / 1e6 / best


def blocks(paths: Iterable[Path]) -> Iterable[bytes]:
    """Blocks of whole lines, as many as a sample has."""
    left = _SAMPLE_BYTES
    for path in paths:
        rest = b""
        with path.open("rb", buffering=0) as file:
            while left > 0 and (found := file.read(BLOCK)):
                end = found.rfind(b"\n") + 1
                yield rest + found[:end]
                rest = found[end:]
                left -= len(found)
        if rest:
            yield rest
        if left <= 0:
            return


def _scan(paths: Iterable[Path], wanted: bytes | None) -> None:
    left = _SAMPLE_BYTES
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while left > 0 and (found := file.read(BLOCK)):
                if wanted is not None:
                    found.count(wanted)
                left -= len(found)


def _parse(paths: Iterable[Path]) -> None:
    for block in blocks(paths):
        if kernel.scan(block) is None:
            cri(block)


def _each(blocks: Iterable[bytes], work: Callable[[bytes], object]) -> None:
    for block in blocks:
        work(block)


def columns(block: bytes) -> bytes:
    """Lines, a column of them, JSON of the column, and a loop over them."""
    lines = block.decode(errors="replace").split("\n")
    sizes = [len(line) for line in lines]
    body = orjson.dumps([line[40:] for line in lines])
    return body if sum(sizes) else b""


def loopback() -> float:
    """CPU of the sending thread alone."""
    listener = socket.create_server(("127.0.0.1", 0))
    receiver = threading.Thread(target=_drain, args=(listener,), daemon=True)
    receiver.start()
    body = bytes(_BODY)
    with socket.create_connection(listener.getsockname()) as link:
        start = time.thread_time()
        for _ in range(_SENT_BYTES // _BODY):
            link.sendall(body)
        secs = time.thread_time() - start
    receiver.join(10)
    listener.close()
    return _SENT_BYTES / 1e6 / secs


def _drain(listener: socket.socket) -> None:
    link, _ = listener.accept()
    room = bytearray(_BODY)
    with link:
        while link.recv_into(room):
            pass
