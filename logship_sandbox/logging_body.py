"""Bodies in, errors out: what Google's front end does around every Cloud Logging call.

A request may be gzip; its size is bounded on the wire and after decompression. JSON is parsed by
orjson. A JSON payload is read a second time for names that occur twice in one object, which JSON
parsers let pass and Google's refuses ("Repeated map key", protobuf's Struct and maps).
"""

import json
import re
from collections.abc import Mapping

import orjson
from aiohttp import web
from isal import igzip_lib, isal_zlib

from logship_sandbox.logging_limits import MAX_JSON_DEPTH, MAX_REQUEST_BYTES, deeper_than

_DRAIN_BYTES = 8 * MAX_REQUEST_BYTES  # read so much of a body that is too long, then hang up
_HAS_PAYLOAD = re.compile(rb'"(?:json|proto)_?[Pp]ayload"')
STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class ApiError(Exception):
    """An answer in Google's JSON error format."""

    def __init__(
        self,
        code: int,
        message: str,
        details: list[object] | None = None,
        retry_after_secs: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self._details = details
        self._retry_after_secs = retry_after_secs

    def response(self) -> web.Response:
        """{"error": {code, message, status, details?}}"""
        error: dict[str, object] = {
            "code": self.code,
            "message": self.message,
            "status": STATUS_NAMES[self.code],
        }
        if self._details:
            error["details"] = self._details
        response = json_response({"error": error}, self.code)
        if self._retry_after_secs:
            response.headers["Retry-After"] = f"{self._retry_after_secs:.0f}"
        return response


def json_response(value: Mapping[str, object], status: int = 200) -> web.Response:
    """An answer as Google's services give it."""
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json", charset="utf-8"
    )


def bad_request(message: str, field: str = "") -> ApiError:
    """A 400 of the front end, with google.rpc.BadRequest naming the field."""
    violation = {"description": message} | ({"field": field} if field else {})
    kind = "type.googleapis.com/google.rpc.BadRequest"
    return ApiError(400, message, [{"@type": kind, "fieldViolations": [violation]}])


def _too_large() -> ApiError:
    return ApiError(400, f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes.")


async def wire_body(request: web.Request) -> bytes:
    """The body as it came. A body over the limit is read to its end, so that the sender, which is
    still sending, gets to see the answer."""
    parts: list[bytes] = []
    size = 0
    async for part, _ in request.content.iter_chunks():
        size += len(part)
        if size <= MAX_REQUEST_BYTES:
            parts.append(part)
        elif size > _DRAIN_BYTES:
            break
    if size > MAX_REQUEST_BYTES:
        raise _too_large()
    return b"".join(parts)


def decoded(body: bytes, encoding: str) -> bytes:
    """The body without its Content-Encoding."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise bad_request(f"Unsupported Content-Encoding: {encoding}")
    plain = b""
    rest = body
    try:
        while rest and len(plain) <= MAX_REQUEST_BYTES:
            member = isal_zlib.decompressobj(wbits=31)
            plain += member.decompress(rest, MAX_REQUEST_BYTES + 1)
            if not member.eof and len(plain) <= MAX_REQUEST_BYTES:
                raise bad_request("Invalid gzip body: it ends too early")
            rest = member.unused_data
    except igzip_lib.IsalError as error:  # type: ignore[misc]  # its stub is wrong
        raise bad_request(f"Invalid gzip body: {error}") from error
    if len(plain) > MAX_REQUEST_BYTES:
        raise _too_large()
    return plain


def parsed(body: bytes) -> object:
    """The body as JSON values."""
    try:
        value: object = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise bad_request(f"Invalid JSON payload received. {error}") from error
    if deeper_than(value, MAX_JSON_DEPTH):
        raise bad_request("Invalid JSON payload received. Message too deep.")
    if _HAS_PAYLOAD.search(body):
        json.loads(body, object_pairs_hook=_without_repeats)
    return value


def _without_repeats(pairs: list[tuple[str, object]]) -> object:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    names = [name for name, _ in pairs]
    twice = next(name for place, name in enumerate(names) if name in names[:place])
    raise bad_request(f"Invalid JSON payload received. Repeated map key: '{twice}' is already set.")
