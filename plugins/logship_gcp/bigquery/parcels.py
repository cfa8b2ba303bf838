"""Rows of a write, gathered per table: what one request appends."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

import pyarrow as pa

from logship.api import Batch, Refused
from logship_gcp.bigquery.append import FRAME_BYTES, request
from logship_gcp.bigquery.arrow import SCHEMA, convert
from logship_gcp.bigquery.extract import Extractors
from logship_gcp.bigquery.schema import TableName
from logship_gcp.bigquery.target import Targets

_SCHEMA_BYTES = SCHEMA.serialize().to_pybytes()


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

    def size(self) -> int:
        """Bytes of the request at most, without making it."""
        head = FRAME_BYTES + len(self.table.stream) + len(_SCHEMA_BYTES)
        return head + pa.ipc.get_record_batch_size(self.columns)

    def body(self) -> bytes:
        return request(self.table, _SCHEMA_BYTES, memoryview(self.columns.serialize()))


async def gather(
    batches: Sequence[Batch], targets: Targets, extractors: Extractors, now_ns: int
) -> tuple[list[Parcel], list[Refused]]:
    """(a parcel per table, rows that Arrow cannot hold)."""
    columns: dict[TableName, list[pa.RecordBatch]] = {}
    addresses: dict[TableName, list[tuple[int, int]]] = {}
    refused: list[Refused] = []
    for number, batch in enumerate(batches):
        for table, rows in targets.group(batch).items():
            found = convert(batch, rows, extractors.of(batch), now_ns)
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
