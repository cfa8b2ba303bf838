"""Rows of a table, sent until each is durable, refused or must come again.

BigQuery writes all rows of a request or none. Where it names the bad ones, the others are sent
again without them; where it does not (INVALID_ARGUMENT alone), the request is halved until the bad
row is alone, in at most MAX_REQUESTS requests, and that row is refused if others were taken.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import grpc

from logship.api import Again, Outcome, Refused, Retry
from logship_gcp.appeals import Appeals
from logship_gcp.bigquery.append import MAX_REQUEST_BYTES, Answer, Appender, Broken
from logship_gcp.bigquery.parcels import Parcel
from logship_gcp.bigquery.schema import TableName
from logship_gcp.pubsub.channel import PASSING, retry_of
from logship_gcp.suspicion import Suspicion

MAX_REQUESTS = 256
MAX_SUSPECTS = 8
"""Refused alone, while nothing at all is taken: then it is not the rows."""
_INVALID_ARGUMENT = 3

_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_ADVICE = {
    grpc.StatusCode.NOT_FOUND: "create it, or set create: true",
    grpc.StatusCode.INVALID_ARGUMENT: "does the table have all columns that `create: true` makes?",
}
_GRANT = (
    "grant roles/bigquery.dataEditor on the dataset to the service account that the pod runs as "
    "(Workload Identity), or to the one of GOOGLE_APPLICATION_CREDENTIALS"
)


@dataclass(frozen=True, slots=True)
class Failed:
    """Rows that are to be sent again later."""

    parcel: Parcel
    retry: Retry


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that was refused alone, without being named: it may be the table's fault."""

    parcel: Parcel
    reason: str
    retry: Retry


Failure = Failed | Refused


@dataclass(slots=True)
class Search:
    """What the requests of one parcel came to."""

    left: int = MAX_REQUESTS
    took: bool = False
    """Whether any rows were written."""
    suspects: int = 0

    @property
    def hopeless(self) -> bool:
        return self.left <= 0 or (self.suspects >= MAX_SUSPECTS and not self.took)


class Writer:
    """Sends parcels; `make` makes a table that is missing, where that is allowed."""

    def __init__(
        self,
        appender: Appender,
        make: Callable[[TableName], Awaitable[None]] | None,
        appeals: Appeals,
    ) -> None:
        self._appender, self._make, self._appeals = appender, make, appeals
        self._made: dict[TableName, asyncio.Task[None]] = {}
        self._suspicions: defaultdict[TableName, Suspicion] = defaultdict(Suspicion)

    async def write(self, parcel: Parcel) -> list[Failure]:
        """What of the parcel is not durable."""
        try:
            await self._ensure(parcel.table)
        except Retry as retry:
            return [Failed(parcel, retry)]
        search = Search()
        found = await self._send(parcel, search)
        return self._judged(parcel.table, found, search.took)

    def _judged(
        self, table: TableName, found: Sequence[Failure | Suspect], took: bool
    ) -> list[Failure]:
        """Suspects are refused if it is their fault; otherwise they come again."""
        suspicion = self._suspicions[table]
        if took:
            suspicion.took()
        suspects = any(isinstance(each, Suspect) for each in found)
        guilty = suspects and (took or suspicion.blames_rows())
        judged: list[Failure] = []
        for each in found:
            if not isinstance(each, Suspect):
                judged.append(each)
            elif guilty:
                judged.append(Refused(*each.parcel.rows[0], each.reason))
            else:
                self._appeals.make(each.retry.reason)
                judged.append(Failed(each.parcel, each.retry))
        return judged

    async def _send(self, parcel: Parcel, search: Search) -> list[Failure | Suspect]:
        count = len(parcel.rows)
        if count == 0:
            return []
        size = parcel.size()
        if size > MAX_REQUEST_BYTES:
            if count == 1:
                reason = f"a row of {size} bytes; BigQuery takes {MAX_REQUEST_BYTES}"
                return [Refused(*parcel.rows[0], reason)]
            return await self._halves(parcel, search)
        search.left -= 1
        try:
            answer = await self._appender.append(parcel.table, parcel.body())
        except Broken as broken:
            return [Failed(parcel, self._broken(parcel.table, broken))]
        except Retry as retry:
            return [Failed(parcel, retry)]
        if answer.ok:
            search.took = True
            return []
        return await self._after(answer, parcel, search)

    async def _halves(self, parcel: Parcel, search: Search) -> list[Failure | Suspect]:
        middle, count = len(parcel.rows) // 2, len(parcel.rows)
        first = await self._send(parcel.slice(0, middle), search)
        return first + await self._send(parcel.slice(middle, count), search)

    async def _after(
        self, answer: Answer, parcel: Parcel, search: Search
    ) -> list[Failure | Suspect]:
        """BigQuery wrote no row of the request: leave the bad ones out and send the others."""
        bad = {row: why for row, why in answer.row_errors if 0 <= row < len(parcel.rows)}
        retry = self._retry(parcel.table, answer)
        if not bad and (answer.code != _INVALID_ARGUMENT or search.hopeless):
            return [Failed(parcel, retry)]
        if not bad and len(parcel.rows) > 1:
            return await self._halves(parcel, search)
        if not bad:
            search.suspects += 1
            return [Suspect(parcel, answer.message or "INVALID_ARGUMENT", retry)]
        refused = [Refused(*parcel.rows[row], why or "refused") for row, why in bad.items()]
        rest = parcel.without(set(bad))
        if search.hopeless and rest.rows:
            return [*refused, Failed(rest, retry)]
        return [*refused, *await self._send(rest, search)]

    async def _ensure(self, table: TableName) -> None:
        """Make the table once, whoever asks first."""
        if self._make is None:
            return
        task = self._made.get(table)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.ensure_future(self._make(table))
            self._made[table] = task
        await asyncio.shield(task)

    def _retry(self, table: TableName, answer: Answer) -> Retry:
        code = _CODES.get(answer.code, grpc.StatusCode.UNKNOWN)
        reason = f"append to {table}: {code.name}: {answer.message}"
        return self._explained(table, code, reason, answer.after)

    def _broken(self, table: TableName, broken: Broken) -> Retry:
        if broken.error is None:
            return Retry(f"append to {table}: {broken}")
        code, retry = broken.error.code(), retry_of(broken.error, f"append to {table}", "")
        return self._explained(table, code, retry.reason.removesuffix("; "), retry.after)

    def _explained(
        self, table: TableName, code: grpc.StatusCode, reason: str, after: float | None = None
    ) -> Retry:
        if code in PASSING:
            return Retry(reason, after, throttled=code is grpc.StatusCode.RESOURCE_EXHAUSTED)
        if code is grpc.StatusCode.NOT_FOUND and self._make is not None:
            self._made.pop(table, None)  # somebody deleted it, or it is not to be seen yet
            return Retry(f"{reason}; it is made again", after)
        retry = Retry(f"{reason}; {_ADVICE.get(code, _GRANT)}", after)
        if code is not grpc.StatusCode.INVALID_ARGUMENT:  # which may be the fault of a row
            self._appeals.make(retry.reason)
        return retry


def outcome(failures: Sequence[Failure]) -> Outcome:
    refused = [failure for failure in failures if isinstance(failure, Refused)]
    return Outcome(tuple(refused), tuple(_again(failures)))


def _again(failures: Sequence[Failure]) -> Iterator[Again]:
    for failure in failures:
        if isinstance(failure, Refused):
            continue
        rows: dict[int, list[int]] = {}
        for batch, row in failure.parcel.rows:
            rows.setdefault(batch, []).append(row)
        for batch, numbers in rows.items():
            retry = failure.retry
            yield Again(batch, numbers, retry.reason, retry.after, retry.throttled)
