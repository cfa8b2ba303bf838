"""Rows of a write, gathered per table, sent until each is durable, refused or must come again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import grpc
import pyarrow as pa

from logship.api import Again, Batch, Outcome, Refused, Retry
from logship_gcp.bigquery.append import MAX_REQUEST_BYTES, Answer, Appender, Broken, request
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import Extractor
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.target import Targets
from logship_gcp.pubsub.channel import PASSING, retry_of

_SCHEMA_BYTES = SCHEMA.serialize().to_pybytes()
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
class Parcel:
    """Rows for one table, and where in the write each comes from."""

    table: TableName
    columns: pa.RecordBatch
    rows: Sequence[tuple[int, int]]
    """(index of the batch, index of the row in it)."""

    def slice(self, start: int, end: int) -> "Parcel":
        part = self.columns.slice(start, end - start)
        return Parcel(self.table, part, self.rows[start:end])

    def without(self, numbers: set[int]) -> "Parcel":
        mask = [number not in numbers for number in range(len(self.rows))]
        left = [row for row, keep in zip(self.rows, mask, strict=True) if keep]
        return Parcel(self.table, self.columns.filter(pa.array(mask)), left)

    def body(self) -> bytes:
        return request(self.table, _SCHEMA_BYTES, self.columns.serialize().to_pybytes())


@dataclass(frozen=True, slots=True)
class Failed:
    """Rows that are to be sent again later."""

    parcel: Parcel
    retry: Retry


Failure = Failed | Refused


async def gather(
    batches: Sequence[Batch], targets: Targets, extractor: Extractor, now_ns: int
) -> tuple[list[Parcel], list[Refused]]:
    """(a parcel per table, rows that Arrow cannot hold)."""
    columns: dict[TableName, list[pa.RecordBatch]] = {}
    addresses: dict[TableName, list[tuple[int, int]]] = {}
    refused: list[Refused] = []
    for number, batch in enumerate(batches):
        for table, rows in targets.group(batch).items():
            found = convert(batch, rows, extractor, now_ns)
            refused += [Refused(number, row, reason) for row, reason in found.refused]
            for part in found.taken:
                columns.setdefault(table, []).append(part.columns)
                addresses.setdefault(table, []).extend(zip(repeat(number), part.rows))
        await asyncio.sleep(0)  # a batch is some milliseconds of work: let others have a turn
    parcels = [Parcel(table, _joined(parts), addresses[table]) for table, parts in columns.items()]
    return parcels, refused


def _joined(parts: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    return pa.Table.from_batches(list(parts)).combine_chunks().to_batches()[0]


class Writer:
    """Sends parcels; `make` makes a table that is missing, where that is allowed."""

    def __init__(
        self, appender: Appender, make: Callable[[TableName], Awaitable[None]] | None
    ) -> None:
        self._appender, self._make = appender, make
        self._made: dict[TableName, asyncio.Task[None]] = {}

    async def write(self, parcel: Parcel) -> list[Failure]:
        """What of the parcel is not durable."""
        try:
            await self._ensure(parcel.table)
        except Retry as retry:
            return [Failed(parcel, retry)]
        return await self._send(parcel)

    async def _send(self, parcel: Parcel) -> list[Failure]:
        count = len(parcel.rows)
        if count == 0:
            return []
        body = parcel.body()
        if len(body) > MAX_REQUEST_BYTES:
            if count == 1:
                reason = f"a row of {len(body)} bytes; BigQuery takes {MAX_REQUEST_BYTES}"
                return [Refused(*parcel.rows[0], reason)]
            first = await self._send(parcel.slice(0, count // 2))
            return first + await self._send(parcel.slice(count // 2, count))
        try:
            answer = await self._appender.append(parcel.table, body)
        except Broken as broken:
            return [Failed(parcel, self._broken(parcel.table, broken))]
        except Retry as retry:
            return [Failed(parcel, retry)]
        if answer.ok:
            return []
        return await self._after(answer, parcel)

    async def _after(self, answer: Answer, parcel: Parcel) -> list[Failure]:
        """BigQuery wrote no row of the request: leave the bad ones out and send the others."""
        bad = {row: why for row, why in answer.row_errors if 0 <= row < len(parcel.rows)}
        if not bad:
            return [Failed(parcel, self._retry(parcel.table, answer))]
        refused = [Refused(*parcel.rows[row], why or "refused") for row, why in bad.items()]
        return [*refused, *await self._send(parcel.without(set(bad)))]

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
        return self._explained(table, code, f"append to {table}: {code.name}: {answer.message}")

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
        return Retry(f"{reason}; {_ADVICE.get(code, _GRANT)}", after)


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
