"""Query jobs: each runs as a task, keeps its answer for a while, and is asked for page by page.

Only query jobs exist. Answers are dropped, oldest first, once there are MAX_JOBS of them or they
hold more than MAX_HELD_BYTES; asking for a dropped one is a 404, as for BigQuery's after a day.
"""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field

from logship_sandbox.bigquery_errors import ApiError, invalid
from logship_sandbox.bigquery_service import Query, Service
from logship_sandbox.bigquery_store import Answer

MAX_JOBS = 1_000
MAX_HELD_BYTES = 512 << 20
DRY_RUN_NOTE = (
    "The sandbox checked this query and did not run it. It does not know how many bytes BigQuery "
    "would process: totalBytesProcessed is 0 and means nothing."
)

_log = logging.getLogger(__name__)


@dataclass
class Job:
    """A query job and, once it is done, its answer or its error."""

    id: str
    query: Query
    configuration: dict[str, object]
    created_ms: int
    ended_ms: int = 0
    answer: Answer | None = None
    error: ApiError | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def held_bytes(self) -> int:
        return self.answer.rows.nbytes if self.answer else 0

    def result(self) -> Answer:
        """The answer of a job that is done; its error is raised."""
        if self.error is not None:
            raise self.error
        assert self.answer is not None
        return self.answer

    def resource(self) -> dict[str, object]:
        """The REST Job. https://cloud.google.com/bigquery/docs/reference/rest/v2/Job"""
        reference = {"projectId": self.query.project, "jobId": self.id, "location": "US"}
        status: dict[str, object] = {"state": "DONE" if self.done.is_set() else "RUNNING"}
        if self.error is not None:
            status |= {"errorResult": self.error.proto(), "errors": [self.error.proto()]}
        times = {"creationTime": str(self.created_ms), "startTime": str(self.created_ms)}
        if self.done.is_set():
            times["endTime"] = str(self.ended_ms)
        about = {"statementType": "SELECT", "totalBytesProcessed": "0", "cacheHit": False}
        return {
            "kind": "bigquery#job",
            "id": f"{self.query.project}:US.{self.id}",
            "jobReference": reference,
            "configuration": self.configuration,
            "status": status,
            "statistics": {**times, "totalBytesProcessed": "0", "query": about},
            "user_email": "anonymous@logship-sandbox",
        }


class Jobs:
    """The jobs of all projects."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs: dict[tuple[str, str], Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def start(self, query: Query, configuration: dict[str, object], job_id: str | None) -> Job:
        """Run a query; ApiError duplicate when the id is taken."""
        name = job_id or f"job_{uuid.uuid4().hex}"
        key = (query.project, name)
        if key in self._jobs:
            raise ApiError("duplicate", f"Already Exists: Job {query.project}:US.{name}")
        job = Job(name, query, configuration, _now_ms())
        self._jobs[key] = job
        task = asyncio.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def get(self, project: str, job_id: str) -> Job:
        job = self._jobs.get((project, job_id))
        if job is None:
            raise ApiError("notFound", f"Not found: Job {project}:US.{job_id}")
        return job

    async def dry_run(self, query: Query, configuration: dict[str, object]) -> dict[str, object]:
        """The resource of a job that never ran, with the columns it would have answered."""
        fields = await self._service.describe(query)
        job = Job("", query, configuration, _now_ms())
        job.done.set()
        resource = job.resource()
        resource["jobReference"] = {"projectId": query.project, "location": "US"}
        resource["status"] = {"state": "DONE", "errors": [invalid(DRY_RUN_NOTE).proto()]}
        about = {
            "statementType": "SELECT",
            "schema": {"fields": list(fields)},
            "totalBytesProcessed": "0",
            "totalBytesProcessedAccuracy": "UNKNOWN",
        }
        resource["statistics"] = {"totalBytesProcessed": "0", "query": about}
        return resource

    async def _run(self, job: Job) -> None:
        try:
            job.answer = await self._service.query(job.query)
        except ApiError as error:
            job.error = error
        except Exception as error:
            job.error = ApiError("internalError", f"The sandbox failed: {error!r}")
            _log.exception("the query %r failed", job.query.sql)
        finally:
            job.ended_ms = _now_ms()
            job.done.set()
            self._forget()

    def _forget(self) -> None:
        held = sum(job.held_bytes for job in self._jobs.values())
        for key, job in list(self._jobs.items())[:-1]:
            if held <= MAX_HELD_BYTES and len(self._jobs) <= MAX_JOBS:
                return
            if job.done.is_set():
                held -= job.held_bytes
                del self._jobs[key]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
