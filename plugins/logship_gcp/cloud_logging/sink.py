"""The sink: batches in, requests out, and what is true of every row.

groups    an origin with much to say gets requests of its own, the small ones share
encode    each batch once; its columns are given back as soon as its bytes are there
send      all requests of a write at once, within `concurrency`
outcome   rows refused for good, rows to send again; every other row is written
"""

import asyncio
import importlib.metadata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from logship.api import (
    Again,
    Altered,
    Batch,
    Context,
    Finding,
    Outcome,
    Preview,
    Refused,
    Retry,
    Sink,
    keys_of,
)
from logship_gcp.appeals import Appeals
from logship_gcp.cloud_logging.config import CloudLoggingConfig
from logship_gcp.cloud_logging.delivery import Delivered, deliver, total
from logship_gcp.cloud_logging.entries import encode
from logship_gcp.cloud_logging.frames import Frame, Frames, Place
from logship_gcp.cloud_logging.oversize import Oversize
from logship_gcp.cloud_logging.requests import Part, Request, pack
from logship_gcp.cloud_logging.responses import Throttled
from logship_gcp.cloud_logging.special import Reader

if TYPE_CHECKING:
    from logship_gcp.auth import Authorization
    from logship_gcp.cloud_logging.transport import Transport

ALONE_BYTES = 128 * 1024
"""From here on, a request of its own costs less than naming the origin in every entry."""
MAX_READERS = 64
AlteredRows = dict[tuple[int, int], Oversize]
"""By batch and row."""


class CloudLogging(Sink):
    """Google Cloud Logging, with entries as GKE's own agent writes them."""

    config = CloudLoggingConfig

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, CloudLoggingConfig)
        self._config = config
        self._appeals = Appeals(context)
        self._transport: Transport | None = None
        self._encoder: BatchEncoder | None = None
        self._authorization: Authorization | None = None

    async def start(self) -> None:
        # Here, so that only an agent that runs has aiohttp and google-auth in memory.
        from logship_gcp.auth import Anonymous, DefaultCredentials
        from logship_gcp.cloud_logging.place import find_place
        from logship_gcp.cloud_logging.transport import Transport
        from logship_gcp.metadata_server import MetadataServer

        config, world = self._config, self.context.world
        metadata = MetadataServer(world.clock)
        version = importlib.metadata.version("logship") if config.version_label else ""
        place = await find_place(config, self.context.cluster, metadata, version)
        self._encoder = BatchEncoder(config, place)
        authorization: Authorization = Anonymous()
        if not config.anonymous:
            authorization = found = DefaultCredentials(world)
            await found.start()
        self._authorization = authorization
        self._transport = Transport(
            config.endpoint,
            authorization,
            world.offload,
            timeout_secs=config.request_timeout_secs,
            concurrency=config.concurrency,
            gzip=config.gzip,
        )
        await self._transport.start()

    async def read_back(self, batches: Sequence[Batch]) -> Mapping[str, int]:
        from logship_gcp.cloud_logging.reading import CALL, read_back
        from logship_gcp.cloud_logging.transport import Transport

        config, encoder, authorization = self._config, self._encoder, self._authorization
        if encoder is None or authorization is None:
            raise RuntimeError("the sink is not started")
        transport = Transport(
            config.endpoint, authorization, self.context.world.offload,
            timeout_secs=config.request_timeout_secs, concurrency=1, gzip=False, call=CALL,
        )  # fmt: skip
        await transport.start()
        try:
            return await read_back(batches, encoder.place, transport)
        finally:
            await transport.close()

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        encoder, transport = self._encoder, self._transport
        if encoder is None or transport is None:
            raise RuntimeError("the sink is not started")
        altered: AlteredRows = {}
        requests = encoder.requests(batches, self.context.world.clock.wall_ns(), altered)
        project = encoder.place.project
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(deliver(r, transport.post, project)) for r in requests]
        delivered = total([task.result() for task in tasks])
        self._appeals.make(delivered.appeal)
        return _outcome(delivered, len(requests), altered)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()

    async def check_live(self) -> Sequence[Finding]:
        from logship_gcp.cloud_logging.checking import check_live

        return await check_live(self._config, self.context)

    def preview(self, batch: Batch) -> Sequence[Preview]:
        from logship_gcp.cloud_logging.preview import made_up_place, previews

        encoder = BatchEncoder(self._config, made_up_place(self._config, self.context.cluster))
        now_ns = self.context.world.clock.wall_ns()
        return previews(encoder.requests([batch], now_ns))


class BatchEncoder:
    """Batches into requests. No I/O."""

    def __init__(self, config: CloudLoggingConfig, place: Place) -> None:
        self.place = place
        self._max_bytes = config.max_request_bytes
        self._oversize = config.oversize
        self._reader = Reader(
            place.project,
            config.severity_keys,
            config.trace_keys,
            config.json == "auto",
            oldest_secs=config.oldest_time_secs,
        )
        self._readers: dict[tuple[str, ...], Reader] = {}
        """By the severity keys that origins ask for."""
        self._frames = Frames(place)

    def _reader_of(self, batch: Batch) -> Reader:
        if not (wish := batch.labels.get("severity_keys")) or not (keys := keys_of(wish)):
            return self._reader
        if (found := self._readers.get(keys)) is None:
            if len(self._readers) >= MAX_READERS:
                self._readers.clear()
            found = self._readers[keys] = replace(self._reader, severity_keys=keys)
        return found

    def requests(
        self, batches: Sequence[Batch], now_ns: int, altered: AlteredRows | None = None
    ) -> list[Request]:
        """`altered` is told which rows are cut or split."""
        altered = {} if altered is None else altered
        found: list[Request] = []
        shared: list[Part] = []
        for frame, numbers, alone in self._groups(batches):
            parts = [self._part(batches, n, frame, now_ns, alone, altered) for n in numbers]
            if alone:
                found += pack(parts, frame.request_defaults(), self._max_bytes)
            else:
                shared += parts
        return found + pack(shared, b"", self._max_bytes)

    def _groups(self, batches: Sequence[Batch]) -> Iterator[tuple[Frame, list[int], bool]]:
        """(frame, indices of batches, whether they get requests of their own), by what they say."""
        groups: defaultdict[Frame, list[int]] = defaultdict(list)
        for number, batch in enumerate(batches):
            groups[self._frames.of(batch)].append(number)
        for frame, numbers in groups.items():
            size = sum([batches[number].size() for number in numbers])
            yield frame, numbers, len(groups) == 1 or size >= ALONE_BYTES

    def _part(
        self, batches: Sequence[Batch], number: int, frame: Frame, now_ns: int, alone: bool,
        altered: AlteredRows,
    ) -> Part:  # fmt: skip
        batch = batches[number]
        rows = batch.rows
        body, numbers, too_large = encode(
            batch,
            frame,
            self._reader_of(batch),
            now_ns=now_ns,
            alone=alone,
            oversize=self._oversize,
        )
        if too_large:
            altered.update({(number, row): how for row, how in too_large.items()})
        if rows.fields is None:  # what a transform has parsed could not be made again
            batch.forget_columns()
        return Part(number, numbers, body)


def _outcome(delivered: Delivered, requests: int, altered: AlteredRows) -> Outcome:
    """What the engine is told. Raises Retry when nothing at all was written."""
    later = delivered.later
    if later and len(later) == requests and not (delivered.refused or delivered.again):
        pauses = [verdict.after for _, verdict in later if verdict.after is not None]
        throttled = any(isinstance(verdict, Throttled) for _, verdict in later)
        raise Retry(later[0][1].reason, max(pauses, default=None), throttled=throttled)
    again = [
        Again(
            part.batch,
            sorted(set(part.rows)),
            verdict.reason,
            verdict.after,
            throttled=isinstance(verdict, Throttled),
        )
        for request, verdict in later
        for part in request.parts
    ]
    again += [Again(batch, [row], reason) for batch, row, reason in delivered.again]
    # Of a row in parts each may be refused: what is refused, or comes again, is the row.
    refused = {(batch, row): Refused(batch, row, why) for batch, row, why in delivered.refused}
    found = _altered(altered, refused.keys(), again) if altered else ()
    return Outcome(tuple(refused.values()), tuple(again), found)


def _altered(
    altered: AlteredRows, refused: Collection[tuple[int, int]], again: Sequence[Again]
) -> tuple[Altered, ...]:
    """Of the rows that are written."""
    gone = {(one.batch, row) for one in again for row in one.rows or ()}.union(refused)
    counts = Counter(how for row, how in altered.items() if row not in gone)
    told = Altered(counts["cut"], "shortened"), Altered(counts["split"], "split")
    return tuple(one for one in told if one.rows)
