"""Cloud Logging over REST: entries:write and entries:list.

A handler reads the body, asks for a verdict (faults), and lets plain functions decide; it holds no
rule of its own. With `discard` nothing is kept or judged: the entries and their ids are counted, so
that a benchmark measures its sender and not this server.
"""

import asyncio
import secrets
import time
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from logship_sandbox.faults import Action, Counts, Faults, Verdict
from logship_sandbox.logging_body import (
    ApiError,
    bad_request,
    decoded,
    json_response,
    parsed,
    wire_body,
)
from logship_sandbox.logging_filter import parse_filter
from logship_sandbox.logging_json import Violation
from logship_sandbox.logging_schema import read_list_request, read_write_request
from logship_sandbox.logging_store import Store
from logship_sandbox.logging_write import PERMISSION_DENIED, Judgement, judge, kept

MAX_PAGE_ENTRIES = 1000
_DEFAULT_PAGE_ENTRIES = 50
_KEPT_RESULTS = 8
_PARTIAL_ERRORS = "type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Id(msgspec.Struct):
    insertId: str = ""


class _Ids(msgspec.Struct):
    entries: list[_Id] = []


class LoggingApi:
    """The two calls, over one store."""

    def __init__(
        self, faults: Faults, *, discard: bool = False, retention_secs: float = 0.0
    ) -> None:
        self.store = Store()
        self.now: Callable[[], int] = time.time_ns
        self._retention_secs = retention_secs
        self.counts = Counts()
        self.discarded_ids = array("q")
        self._faults = faults
        self._discard = discard
        self._closing = asyncio.Event()
        self._results: OrderedDict[str, tuple[str, array[int]]] = OrderedDict()

    def routes(self) -> list[web.RouteDef]:
        """For aiohttp's router."""
        return [
            web.post("/v2/entries:write", self._guarded(self._write)),
            web.post("/v2/entries:list", self._guarded(self._list)),
        ]

    def close(self) -> None:
        """End the calls that a fault keeps hanging."""
        self._closing.set()

    def _guarded(self, call: Callable[[bytes], Awaitable[web.Response]]) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.counts.requests += 1
            verdict = self._faults.next("logging")
            try:
                if verdict.action is Action.DROP:
                    return self._broken(request, verdict)
                body = await wire_body(request)
                self.counts.bytes += len(body)
                await self._trouble(verdict)
                if not request.content_type.endswith("json"):
                    raise bad_request(f"Content-Type {request.content_type} is not JSON")
                plain = decoded(body, request.headers.get("Content-Encoding", ""))
                response = await call(plain)
                return self._broken(request, verdict) if verdict.action is Action.LOSE else response
            except Violation as violation:
                error = bad_request(violation.message(), violation.path)
            except ApiError as raised:
                error = raised
            self.counts.errors[str(error.code)] += 1
            return error.response()

        return handler

    async def _trouble(self, verdict: Verdict) -> None:
        if verdict.delay_secs:
            await asyncio.sleep(verdict.delay_secs)
        if verdict.action is Action.FAIL:
            after = verdict.retry_after_secs
            raise ApiError(verdict.code, "a fault on request", retry_after_secs=after)
        if verdict.action is Action.HANG:
            self.counts.errors[verdict.action.value] += 1
            await self._closing.wait()
            raise ApiError(503, "the sandbox is closing")

    def _broken(self, request: web.Request, verdict: Verdict) -> web.Response:
        """Cut the connection; the response is for aiohttp only and reaches nobody."""
        self.counts.errors[verdict.action.value] += 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    async def _write(self, body: bytes) -> web.Response:
        if self._discard:
            return self._count_only(body)
        request = read_write_request(parsed(body))
        self._need("logging.logEntries.create")
        if not request.get("entries"):
            raise bad_request("entries must not be empty", "entries")
        if self._faults.current("logging").poisons(body):
            raise bad_request("Invalid JSON payload received.")
        now = self.now()
        judgement = judge(request, now, self._faults.current("logging"))
        self.counts.refused += len(judgement.refused)
        writes = judgement.writes_any(request.get("partialSuccess", False))
        if writes and not request.get("dryRun", False):
            stored = kept(judgement.accepted, now, self._retention_secs)
            self.store.append(stored, len(body))
            self.counts.entries += len(judgement.accepted)
        if judgement.refused:
            raise _write_error(judgement, writes)
        return json_response({})

    def _need(self, permission: str) -> None:
        if self._faults.current("logging").denies(permission):
            said = f"Permission '{permission}' denied on resource (or it may not exist)."
            raise ApiError(403, said)

    def _count_only(self, body: bytes) -> web.Response:
        try:
            entries = msgspec.json.decode(body, type=_Ids).entries
        except msgspec.DecodeError as error:
            raise bad_request(f"Invalid JSON payload received. {error}") from error
        if not all(entry.insertId for entry in entries):
            raise bad_request("with discard, every entry needs an insertId", "entries")
        self.discarded_ids.extend([hash(entry.insertId) for entry in entries])
        self.counts.entries += len(entries)
        return json_response({})

    async def _list(self, body: bytes) -> web.Response:
        request = read_list_request(parsed(body))
        self._need("logging.logEntries.list")
        size = request.get("pageSize", 0) or _DEFAULT_PAGE_ENTRIES
        if size < 0:
            raise bad_request(f"page_size {size} is negative", "page_size")
        parents = frozenset(request.get("resourceNames", ()))
        order = request.get("orderBy") or "timestamp asc"
        if not parents or any(name.count("/") != 1 for name in parents):
            raise bad_request("resource_names must name projects: projects/[PROJECT]")
        if order not in ("timestamp asc", "timestamp desc"):
            raise bad_request(f"order_by {order!r}: use 'timestamp asc' or 'timestamp desc'")
        try:
            accepts = parse_filter(request.get("filter", ""))
        except ValueError as error:
            raise bad_request(str(error), "filter") from error
        query = f"{sorted(parents)} {order} {request.get('filter', '')}"
        if token := request.get("pageToken"):
            return self._page(query, token, size)
        run = self.store.search()
        found = await asyncio.to_thread(run, accepts, parents, order.endswith("desc"))
        token = secrets.token_hex(8)
        self._results[token] = (query, found)
        if len(self._results) > _KEPT_RESULTS:
            self._results.popitem(last=False)
        return self._page(query, f"{token}.0", size)

    def _page(self, query: str, token: str, size: int) -> web.Response:
        """One page of a result: a result is fixed when its first page is asked for."""
        key, _, start_text = token.partition(".")
        kept_query, found = self._results.get(key, ("", array("Q")))
        if kept_query != query or not start_text.isdecimal():
            raise bad_request("page_token is unknown, too old or of another query", "page_token")
        start, end = int(start_text), int(start_text) + min(size, MAX_PAGE_ENTRIES)
        answer: dict[str, object] = {"entries": self.store.get(found[start:end])}
        if end < len(found):
            answer["nextPageToken"] = f"{key}.{end}"
        return json_response(answer)


def _write_error(judgement: Judgement, some_written: bool) -> ApiError:
    """The status of the first refused entry; all of them only when others were written (proto)."""
    first = next(iter(judgement.refused.values()))
    code = 403 if first.code == PERMISSION_DENIED else 400
    if not some_written:
        return ApiError(code, first.message)
    errors = {
        str(place): {"code": status.code, "message": status.message}
        for place, status in judgement.refused.items()
    }
    return ApiError(code, first.message, [{"@type": _PARTIAL_ERRORS, "logEntryErrors": errors}])
