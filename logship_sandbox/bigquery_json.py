"""JSON in and out of the REST API: typed reading of requests, and Google's way to say errors."""

import gzip
import logging
import zlib

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from logship_sandbox.bigquery_errors import ApiError, invalid

MAX_BODY_BYTES = 16 << 20
_log = logging.getLogger(__name__)


def json_answer(value: object, status: int = 200) -> web.Response:
    content = msgspec.json.encode(value)
    return web.Response(body=content, status=status, content_type="application/json")


async def body(request: web.Request) -> dict[str, object]:
    """The request's JSON object; ApiError invalid for anything else."""
    raw = await request.read()
    try:
        if raw[:2] == b"\x1f\x8b":
            raw = gzip.decompress(raw)
        return msgspec.json.decode(raw or b"{}", type=dict[str, object])
    except (msgspec.DecodeError, OSError, EOFError, zlib.error) as error:
        raise invalid(f"The request body is not a JSON object: {error}") from None


def mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def integer(value: object, default: int | None) -> int | None:
    """A number that JSON or a query string gave, perhaps as text."""
    if value is None or value == "":
        return default
    try:
        number = int(value) if isinstance(value, (int, str)) else -1
    except ValueError:
        number = -1
    if number < 0:
        raise invalid(f"Invalid number: {value!r}")
    return number


@web.middleware
async def google_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal in Google's form, those of aiohttp's router too."""
    try:
        return await handler(request)
    except ApiError as error:
        return json_answer(error.body(), error.status)
    except web.HTTPException as error:
        what = f"{request.method} {request.path}: {error.reason}"
        refusal = ApiError("notFound", f"The sandbox's BigQuery does not serve {what}")
        return json_answer(refusal.body(), error.status)
    except Exception as error:
        _log.exception("%s %s failed", request.method, request.path)
        refusal = ApiError("internalError", f"The sandbox failed: {error!r}")
        return json_answer(refusal.body(), refusal.status)
