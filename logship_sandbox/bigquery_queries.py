"""The REST calls about jobs, and their answers page by page."""

import asyncio

import pyarrow as pa
from aiohttp import web

from logship_sandbox.bigquery_errors import ApiError, invalid, unsupported
from logship_sandbox.bigquery_jobs import DRY_RUN_NOTE, Job, Jobs
from logship_sandbox.bigquery_json import body, integer, json_answer, mapping, text
from logship_sandbox.bigquery_resources import DatasetReference, FieldSchema, decode
from logship_sandbox.bigquery_service import Query, Service
from logship_sandbox.bigquery_trouble import Trouble
from logship_sandbox.bigquery_values import literals, rows_json

MAX_PAGE_ROWS = 10_000
DEFAULT_WAIT_SECS = 10.0  # https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query
MAX_WAIT_SECS = 200.0


class QueryApi:
    """jobs.insert, jobs.get, jobs.query, jobs.getQueryResults, tabledata.list."""

    def __init__(self, service: Service, jobs: Jobs, trouble: Trouble) -> None:
        self._service = service
        self._jobs = jobs
        self._trouble = trouble

    def routes(self, base: str) -> list[web.RouteDef]:
        return [
            web.post(f"{base}/jobs", self.insert),
            web.get(f"{base}/jobs/{{job}}", self.get),
            web.post(f"{base}/jobs/{{job}}/cancel", self.cancel),
            web.post(f"{base}/queries", self.query),
            web.get(f"{base}/queries/{{job}}", self.results),
        ]

    async def insert(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.jobs.create")
        resource = await body(request)
        configuration = mapping(resource.get("configuration"))
        wanted = configuration.get("query")
        if not isinstance(wanted, dict):
            kinds = ", ".join(sorted(set(configuration) & {"load", "copy", "extract"})) or "empty"
            raise unsupported(f"{kinds} jobs, only query jobs")
        query = _query(request.match_info["project"], wanted)
        if configuration.get("dryRun"):
            return json_answer(await self._jobs.dry_run(query, configuration))
        name = text(mapping(resource.get("jobReference")).get("jobId"))
        return json_answer(self._jobs.start(query, configuration, name).resource())

    async def get(self, request: web.Request) -> web.Response:
        return json_answer(self._job(request).resource())

    async def cancel(self, request: web.Request) -> web.Response:
        """Accepted, as BigQuery does, and without effect: the sandbox's queries are short."""
        job = self._job(request)
        return json_answer({"kind": "bigquery#jobCancelResponse", "job": job.resource()})

    async def query(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.jobs.create")
        asked = await body(request)
        if asked.get("useLegacySql", True):
            raise unsupported("legacy SQL: set useLegacySql to false")
        query = _query(request.match_info["project"], asked)
        if asked.get("dryRun"):
            fields = await self._service.describe(query)
            return json_answer(_dry_answer(query, fields))
        job = self._jobs.start(query, {"query": {"query": query.sql}}, None)
        await _wait(job, integer(asked.get("timeoutMs"), None))
        int64 = bool(mapping(asked.get("formatOptions")).get("useInt64Timestamp"))
        limit = integer(asked.get("maxResults"), None)
        page = await asyncio.to_thread(_page, job, 0, limit, int64)
        return json_answer({**page, "kind": "bigquery#queryResponse"})

    async def results(self, request: web.Request) -> web.Response:
        job = self._job(request)
        given = request.query
        await _wait(job, integer(given.get("timeoutMs"), None))
        start = integer(given.get("pageToken") or given.get("startIndex"), 0) or 0
        int64 = given.get("formatOptions.useInt64Timestamp", "").lower() == "true"
        limit = integer(given.get("maxResults"), None)
        page = await asyncio.to_thread(_page, job, start, limit, int64)
        return json_answer({**page, "kind": "bigquery#getQueryResultsResponse"})

    def _job(self, request: web.Request) -> Job:
        return self._jobs.get(request.match_info["project"], request.match_info["job"])


def page_of(
    rows: pa.Table,
    fields: tuple[FieldSchema, ...],
    start: int,
    limit: int | None,
    int64: bool,
) -> dict[str, object]:
    """One page of rows, and the token of the next one: the index it starts at."""
    size = MAX_PAGE_ROWS if limit is None else min(limit, MAX_PAGE_ROWS)
    page = rows.slice(start, size)
    out: dict[str, object] = {"totalRows": str(rows.num_rows)}
    if page.num_rows:
        out["rows"] = rows_json(page, fields, int64)
    after = start + page.num_rows
    if after < rows.num_rows and size > 0:
        out["pageToken"] = str(after)
    return out


def _page(job: Job, start: int, limit: int | None, int64: bool) -> dict[str, object]:
    reference = job.resource()["jobReference"]
    if not job.done.is_set():
        return {"jobReference": reference, "jobComplete": False}
    answer = job.result()
    return {
        "jobReference": reference,
        "jobComplete": True,
        "schema": {"fields": list(answer.fields)},
        "totalBytesProcessed": "0",
        "cacheHit": False,
        **page_of(answer.rows, answer.fields, start, limit, int64),
    }


def _dry_answer(query: Query, fields: tuple[FieldSchema, ...]) -> dict[str, object]:
    return {
        "kind": "bigquery#queryResponse",
        "jobReference": {"projectId": query.project, "location": "US"},
        "jobComplete": True,
        "schema": {"fields": list(fields)},
        "totalBytesProcessed": "0",
        "errors": [invalid(DRY_RUN_NOTE).proto()],
    }


async def _wait(job: Job, timeout_ms: int | None) -> None:
    secs = DEFAULT_WAIT_SECS if timeout_ms is None else min(timeout_ms / 1000, MAX_WAIT_SECS)
    try:
        async with asyncio.timeout(secs):
            await job.done.wait()
    except TimeoutError:
        return


def _query(project: str, asked: dict[str, object]) -> Query:
    sql = asked.get("query")
    if not isinstance(sql, str) or not sql.strip():
        raise ApiError("invalid", "Required parameter is missing: query")
    if asked.get("useLegacySql") is True:
        raise unsupported("legacy SQL: set useLegacySql to false")
    for name in ("destinationTable", "tableDefinitions", "userDefinedFunctionResources"):
        if asked.get(name):
            raise unsupported(f"{name} in a query")
    default = asked.get("defaultDataset")
    if isinstance(default, dict):
        default = {"projectId": project, **default}
    dataset = decode(DatasetReference, default) if default else None
    return Query(sql, project, literals(asked.get("queryParameters")), dataset)
