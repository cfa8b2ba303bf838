"""A Cloud Logging that fails as it is told: a process of its own.

none       every request is taken
refuse     nobody listens, and what is connected is cut off: the server is gone
hang       the process stands still: nothing is accepted, read or answered until it goes on
mute       requests are read whole, and never answered
throttle   a share of requests is answered by 429, with a Retry-After or without

Entries that say so are refused by Google's per-entry errors whatever the fault. Commands come as
JSON, one a line, on stdin; each is answered by a line on stdout, the first of which is the port.
"""

import io
import random
import socket
import struct
import sys
import threading
from contextlib import suppress
from typing import Literal

import msgspec
import orjson

from bench.faults.arrivals import REFUSED, Arrivals, refused_places
from bench.lines import TOKEN
from bench.sink.http import Stream, body_of, headers_of

_BUFFER = 1 << 20
_ANSWER = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b"
_EXHAUSTED = orjson.dumps(
    {"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}
)
_ERRORS = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"
_RESET = struct.pack("ii", 1, 0)
_REFUSED = TOKEN + b"%02x" % REFUSED
"""How the number of a row begins that is refused."""


class Fault(msgspec.Struct, frozen=True):
    kind: Literal["none", "refuse", "hang", "mute", "throttle"] = "none"
    share: float = 1.0
    """throttle: of requests."""
    retry_after_secs: int = 0
    """throttle: 0 says nothing, as Cloud Logging does."""


class Command(msgspec.Struct):
    fault: Fault | None = None
    phase: str | None = None
    tell: bool = False
    """Answer with what has arrived."""


class Server:
    """Listens on one port of loopback as long as there is no fault against that."""

    def __init__(self, *, delays: bool) -> None:
        self.arrivals = Arrivals(delays=delays)
        self.lock = threading.Lock()
        self.fault = Fault()
        self._dice = random.Random(1)
        self._moving = threading.Event()
        self._moving.set()
        self._links: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._listen()

    def set(self, fault: Fault) -> None:
        """From now on."""
        before, self.fault = self.fault, fault
        if fault.kind == "refuse" and before.kind != "refuse":
            self._leave()
        if before.kind == "refuse" and fault.kind != "refuse":
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            self._listen()
        if fault.kind == "hang":
            self._moving.clear()
        else:
            self._moving.set()

    def _leave(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._listener.close()
        for link in list(self._links):
            with suppress(OSError):
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                link.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # closed
            while True:
                self._moving.wait()
                link, _ = listener.accept()
                threading.Thread(target=self._converse, args=(link,), daemon=True).start()

    def _converse(self, link: socket.socket) -> None:
        self._links.add(link)
        try:
            with link, suppress(OSError, ValueError):
                self._requests(link, io.BufferedReader(_Gated(link, self._moving), _BUFFER))
        finally:
            self._links.discard(link)

    def _requests(self, link: socket.socket, stream: Stream) -> None:
        while stream.readline():
            headers = headers_of(stream)
            body = body_of(stream, headers)
            if len(body) < int(headers.get(b"content-length", 0)):
                return  # the client gave it up half-way
            self._moving.wait()
            if self.fault.kind == "mute":
                while link.recv(_BUFFER):
                    pass
                return
            if self.fault.kind == "refuse":
                return
            link.sendall(self._answer(body))

    def _answer(self, body: bytes) -> bytes:
        fault = self.fault
        with self.lock:
            if fault.kind == "throttle" and self._dice.random() < fault.share:
                self.arrivals.refused_requests += 1
                secs = fault.retry_after_secs
                after = b"Retry-After: %d\r\n" % secs if secs else b""
                return _http(b"429 Too Many Requests", _EXHAUSTED, after)
            refused = refused_places(body) if _REFUSED in body else []
            self.arrivals.take(body, refused)
        if not refused:
            return _http(b"200 OK", b"{}")
        errors = {str(place): {"code": 3, "message": "not wanted here"} for place in refused}
        details = [{"@type": _ERRORS, "logEntryErrors": errors}]
        error = {"code": 400, "message": "some entries are refused", "details": details}
        return _http(b"400 Bad Request", orjson.dumps({"error": error}))


def _http(status: bytes, content: bytes, header: bytes = b"") -> bytes:
    return _ANSWER % (status, len(content), header, content)


class _Gated(io.RawIOBase):
    """A socket that is read only while the gate is open."""

    def __init__(self, link: socket.socket, gate: threading.Event) -> None:
        self._link, self._gate = link, gate

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        self._gate.wait()
        return self._link.recv_into(buffer)


def main(*, delays: bool) -> None:
    """Until stdin ends."""
    server = Server(delays=delays)
    print(server.port, flush=True)
    for line in sys.stdin.buffer:
        command = msgspec.json.decode(line, type=Command)
        with server.lock:
            if command.phase is not None:
                server.arrivals.phase = command.phase
            answer = msgspec.json.encode(server.arrivals.summary()) if command.tell else b"{}"
        if command.fault is not None:
            server.set(command.fault)
        print(answer.decode(), flush=True)


if __name__ == "__main__":
    main(delays="--delays" in sys.argv)
