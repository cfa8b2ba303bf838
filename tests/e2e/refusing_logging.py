"""A Cloud Logging that refuses what the sink can see nothing wrong with: entries that say so.

The sandbox refuses only what Google is known to refuse, and the sink sends none of that. So this
answers `entries:write` with Google's per-entry errors (`WriteLogEntriesPartialErrors`) for every
entry whose text begins with `REFUSED`, and keeps its neighbours.
"""

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import msgspec

from tests.e2e.destinations import Arrived

REFUSED = "refused"
_ERRORS = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"
_INVALID_ARGUMENT = 3


class _Entry(msgspec.Struct):
    insertId: str
    timestamp: str
    textPayload: str


class _Request(msgspec.Struct):
    entries: list[_Entry]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    written: ClassVar[list[Arrived]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        entries = msgspec.json.decode(body, type=_Request).entries
        refused = [n for n, e in enumerate(entries) if e.textPayload.startswith(REFUSED)]
        for number, entry in enumerate(entries):
            if number not in refused:
                self.written.append(Arrived(entry.insertId, entry.timestamp, "", entry.textPayload))
        self._answer(refused)

    def _answer(self, refused: list[int]) -> None:
        status = {"code": _INVALID_ARGUMENT, "message": "we do not like it"}
        errors = {str(number): status for number in refused}
        details = [{"@type": _ERRORS, "logEntryErrors": errors}]
        answer = {"error": {"code": 400, "message": "some", "details": details}} if refused else {}
        content = json.dumps(answer).encode()
        self.send_response(400 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@contextmanager
def refusing_logging() -> Iterator[tuple[str, list[Arrived]]]:
    """(its endpoint, what it has written so far)."""
    written: list[Arrived] = []
    handler = type("Handler", (_Handler,), {"written": written})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", written
        finally:
            server.shutdown()
            thread.join(10)
