"""The sandbox's faults, done to calls of BigQuery: REST as a middleware, gRPC before each request.

Which trouble comes is decided in `logship_sandbox.faults`; a dropped connection and a hung call are
real ones, so that clients meet what a network does to them.
"""

import asyncio
from typing import Protocol

import grpc
from aiohttp import web
from aiohttp.typedefs import Handler

from logship_sandbox.bigquery_errors import ApiError
from logship_sandbox.bigquery_json import json_answer
from logship_sandbox.faults import Action, Fault, Verdict
from logship_sandbox.retry_info import retry_info

SERVICE = "bigquery"
_GRPC_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_REASONS = {401: "authError", 403: "accessDenied", 404: "notFound", 429: "rateLimitExceeded",
            503: "backendError"}  # fmt: skip


class Verdicts(Protocol):
    """Who decides: `logship_sandbox.faults.Faults`."""

    def next(self, service: str) -> Verdict: ...
    def current(self, service: str) -> Fault: ...


class NoTrouble:
    """Every call is served."""

    def next(self, service: str) -> Verdict:
        return Verdict()

    def current(self, service: str) -> Fault:
        return Fault()


class Trouble:
    """What happens to a call before it is served."""

    def __init__(self, faults: Verdicts | None) -> None:
        self._faults = faults or NoTrouble()

    def denies(self, permission: str) -> bool:
        """Whether callers lack this permission of IAM."""
        return self._faults.current(SERVICE).denies(permission)

    def need(self, permission: str) -> None:
        """ApiError accessDenied where they lack it, as BigQuery words it."""
        if self.denies(permission):
            said = f"Access Denied: Permission {permission} denied (or it may not exist)."
            raise ApiError("accessDenied", said)

    async def before_grpc(self, context: "grpc.aio.ServicerContext[object, object]") -> None:
        """Return to have the call served; ends or holds it otherwise."""
        verdict = self._faults.next(SERVICE)
        if verdict.delay_secs:
            await asyncio.sleep(verdict.delay_secs)
        if verdict.action is Action.FAIL:
            code = _GRPC_CODES.get(verdict.code, grpc.StatusCode.UNAVAILABLE)
            message = f"a fault of the sandbox ({verdict.code})"
            metadata = retry_info(code, message, verdict.retry_after_secs)
            await context.abort(code, message, metadata)
        if verdict.action is Action.DROP:
            # grpc.aio cannot break a connection; this is what a client makes of a broken one.
            await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
        if verdict.action is Action.HANG:
            await asyncio.Event().wait()  # until the client cancels or the server closes

    @property
    def poison(self) -> str:
        """Rows with this text are refused, and all that came with them; empty: none."""
        return self._faults.current(SERVICE).poison

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        verdict = self._faults.next(SERVICE)
        if verdict.delay_secs:
            await asyncio.sleep(verdict.delay_secs)
        if verdict.action is Action.FAIL:
            return _refusal(verdict.code)
        if verdict.action is Action.DROP and request.transport is not None:
            request.transport.abort()
        if verdict.action in (Action.DROP, Action.HANG):
            await asyncio.Event().wait()  # until aiohttp cancels the handler of a closed connection
        return await handler(request)


def _refusal(code: int) -> web.Response:
    error = ApiError("invalid", f"a fault of the sandbox ({code})")
    reason = _REASONS.get(code, "backendError")
    item = {"reason": reason, "message": error.message, "domain": "global"}
    content = {"error": {"code": code, "message": error.message, "errors": [item]}}
    return json_answer(content, code)
