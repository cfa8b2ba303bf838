"""Cloud Logging, for whoever writes to it, and a listener for lines: a thread per connection.

Of HTTP it has what agents use: bodies with a length or in chunks, gzip, connections that stay.
Bodies are kept as they came, and looked into when the counts are asked for: see `counts`.
"""

import socket
import threading
from collections.abc import Callable
from typing import Protocol

import orjson
from isal import igzip

from bench.sink.counts import Counts

_BUFFER = 1 << 20
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Stream(Protocol):
    def readline(self) -> bytes: ...
    def read(self, size: int) -> bytes: ...


def serve(counts: Counts, stats: Callable[[], dict[str, int]]) -> int:
    """Listen; the port. `GET /stats` tells the counts."""
    return listen(lambda link: _conversation(link, counts, stats))


def serve_lines(counts: Counts) -> int:
    """Listen for lines over TCP; the port."""
    return listen(lambda link: _stream(link, counts))


def listen(handle: Callable[[socket.socket], None]) -> int:
    """A thread per connection, on a free port of loopback."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            link, _ = listener.accept()
            threading.Thread(target=handle, args=(link,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def _conversation(link: socket.socket, counts: Counts, stats: Callable[[], dict[str, int]]) -> None:
    with link, link.makefile("rb", _BUFFER) as stream:
        while line := stream.readline():
            path = line.split(b" ")[1]
            headers = headers_of(stream)
            if headers.get(b"expect"):
                link.sendall(_CONTINUE)
            answer = b"{}"
            if line.startswith(b"POST"):
                _take(path, body_of(stream, headers), headers, counts)
            elif path == b"/stats":
                answer = orjson.dumps(stats())
            elif b"/computeMetadata/" in path:
                answer = _metadata(path)
            link.sendall(_OK % (len(answer), answer))


def headers_of(stream: Stream) -> dict[bytes, bytes]:
    found = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.partition(b":")
        found[name.lower()] = value.strip().lower()
    return found


def body_of(stream: Stream, headers: dict[bytes, bytes]) -> bytes:
    if headers.get(b"transfer-encoding") != b"chunked":
        return stream.read(int(headers.get(b"content-length", 0)))
    chunks = []
    while size := int(stream.readline().split(b";")[0], 16):
        chunks.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(chunks)


def _take(path: bytes, raw: bytes, headers: dict[bytes, bytes], counts: Counts) -> None:
    packed = headers.get(b"content-encoding") == b"gzip"
    entries = path.endswith(b"entries:write") and headers.get(b"user-agent") == b"logship"

    def read(raw: bytes) -> None:
        body: bytes = igzip.decompress(raw) if packed else raw  # type: ignore[no-untyped-call]
        if entries:
            counts.entries(body, len(raw))
        else:
            counts.lines(body)

    counts.later(raw, read)


def _metadata(path: bytes) -> bytes:
    """As much of Google's metadata server as Fluent Bit's stackdriver output asks for."""
    if path.endswith(b"/token"):
        return b'{"access_token":"bench","expires_in":86400,"token_type":"Bearer"}'
    return {b"project-id": b"p", b"zone": b"projects/1/zones/asia-northeast1-a"}.get(
        path.rsplit(b"/", 1)[-1], b"1"
    )


def _stream(link: socket.socket, counts: Counts) -> None:
    rest = b""
    with link:
        while found := link.recv(_BUFFER):
            whole, newline, after = found.rpartition(b"\n")
            if not newline:
                rest += found
                continue
            counts.later(rest + whole, counts.lines)
            rest = after
    if rest:
        counts.lines(rest)
