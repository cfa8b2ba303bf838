"""`pubsub` sink: rows or whole blocks become messages of a topic.

Google's publisher client is not used: it costs 30 MB of memory and 40 us a row. A request is a
few joined bytes, sent over a channel of our own. In format `block` no row is touched: the block is
compressed in a thread and that is the message; rows are looked at only when Pub/Sub refuses it.

A refused request is taken apart until the guilty row is alone (`publishing`); it is refused for
good if others were taken. Everything else comes again.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import (
    DELIVERED,
    Batch,
    ConfigError,
    Context,
    Finding,
    Outcome,
    Preview,
    Retry,
    Sink,
)
from logship_gcp import block_format
from logship_gcp.appeals import Appeals
from logship_gcp.bigquery.extract import Extractors
from logship_gcp.pubsub import channel, framed, names, outgoing, record, wire
from logship_gcp.pubsub.outgoing import Failed, Outgoing
from logship_gcp.pubsub.publishing import Search, Topic
from logship_gcp.suspicion import Suspicion

BLOCK = "block/1"


class PubsubSinkConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the sink `pubsub`."""

    topic: Annotated[
        str,
        Meta(
            description="The topic: its name, or `projects/PROJECT/topics/NAME`. It must exist.",
            examples=["app-logs"],
        ),
    ]
    project: Annotated[
        str,
        Meta(description="The topic's project. Empty: that of the default credentials."),
    ] = ""
    format: Annotated[
        Literal["block", "record"],
        Meta(
            description="`block`: the log as it was read, compressed, for the loader. `record`: a "
            "JSON message per row, for a BigQuery subscription that uses the table's schema."
        ),
    ] = "block"
    json_columns: Annotated[
        Literal["text", "value"],
        Meta(
            description="Only for `record`: how `payload` and `labels` are written. `text`: as a "
            "string that holds JSON; `value`: as nested JSON."
        ),
    ] = "text"
    endpoint: Annotated[
        str,
        Meta(
            description="Where Pub/Sub is: a host, with a port if it is not 443. Loopback and "
            "`http://` mean plain text without credentials (sandbox, emulator). Use a regional "
            "endpoint to keep the log in its region.",
            examples=["europe-west1-pubsub.googleapis.com", "127.0.0.1:8085"],
        ),
    ] = "pubsub.googleapis.com"
    compression: Annotated[
        Literal["zstd", "none"], Meta(description="Only for `block`: how it is compressed.")
    ] = "zstd"
    compression_level: Annotated[
        int,
        Meta(ge=-7, le=19, description="Only for zstd. 1 compresses logs five to eight times."),
    ] = 1
    max_message_bytes: Annotated[
        int,
        Meta(
            ge=4096,
            le=outgoing.MAX_REQUEST_BYTES,
            description="A block whose message would be larger is sent in parts; a single row is "
            "refused. Pub/Sub takes 10 MB.",
        ),
    ] = 9_900_000
    concurrency: Annotated[
        int, Meta(ge=1, le=100, description="Publish calls at the same time.")
    ] = 8
    request_timeout_secs: Annotated[
        float, Meta(gt=0, le=600, description="How long one publish call may take.")
    ] = 60.0


class PubsubSink(Sink):
    """Publishes rows, or compressed blocks of them, to a Pub/Sub topic."""

    config = PubsubSinkConfig
    request_bytes = 1024 * 1024

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, PubsubSinkConfig)
        self._path = f"sinks.{context.name}"
        problem = names.problem("topics", config.topic)
        if problem is not None:
            raise ConfigError(f"{self._path}.topic", problem)
        self._config = config
        self.ships_blocks = config.format == "block"
        if config.format == "record":  # a message per row: several times the size of its log
            self.request_bytes = 160 * 1024
        self._endpoint = channel.Endpoint.parse(config.endpoint)
        if self._endpoint.plain and not config.project and not names.is_whole(config.topic):
            reason = "needed: an endpoint without credentials names no project"
            raise ConfigError(f"{self._path}.project", reason)
        self._extractors = Extractors()
        self._turns = asyncio.Semaphore(config.concurrency)
        self._appeals, self._suspicion = Appeals(context), Suspicion()

    async def start(self) -> None:
        world, config = self.context.world, self._config
        self._link = await channel.Link.open(self._endpoint, world, self._path)
        project = config.project
        if not project and not names.is_whole(config.topic):
            project = await channel.default_project(world, self._path)
        name = names.whole("topics", project, config.topic)
        self._topic = Topic(self._link, name, self._turns, config.request_timeout_secs)

    async def close(self) -> None:
        await self._link.close()

    async def check_live(self) -> Sequence[Finding]:
        from logship_gcp.pubsub.checking import check_named

        name, project = self._config.topic, self._config.project
        return await check_named("topics", name, project, self._endpoint, self.context.world)

    def preview(self, batch: Batch) -> Sequence[Preview]:
        from logship_gcp.pubsub import preview

        if self._config.format == "block":
            return preview.of_block(batch, BLOCK)
        now_ns = self.context.world.clock.wall_ns()
        return preview.of_records(
            batch, self._extractors.of(batch), self._config.json_columns, now_ns
        )

    async def write(self, batches: Sequence[Batch]) -> Outcome:
        messages = [message for part in await self._encode(batches) for message in part]
        limit = self._config.max_message_bytes
        requests = list(outgoing.pack(messages, self._topic.room, limit))
        search = Search(self._topic, partial(self._divide, batches), limit, self._appeals)
        parts = await asyncio.gather(*map(search.publish, requests))
        failed = self._judged([failure for part in parts for failure in part], search.took)
        if not failed:
            return DELIVERED
        retries = [f.retry for f in failed if f.retry is not None]
        if not search.took and len(retries) == len(failed):
            raise max(retries, key=lambda retry: retry.after or 0.0)
        return outgoing.outcome(failed, batches)

    async def _encode(self, batches: Sequence[Batch]) -> list[list[Outgoing]]:
        if self._config.format == "record":
            return [self._records(number, batch) for number, batch in enumerate(batches)]
        whole = [
            (number, None, batch)
            for number, batch in enumerate(batches)
            if (len(batch.rows) if batch.touched else batch.block)
        ]
        for _, _, batch in whole:
            batch.forget_columns()  # the engine has counted the rows; the block is what goes out
        return [await self.context.world.offload.run(self._blocks, whole)]

    def _blocks(self, parts: Sequence[tuple[int, Sequence[int] | None, Batch]]) -> list[Outgoing]:
        config = self._config
        return [
            Outgoing(
                number,
                rows,
                wire.message(
                    block_format.encode(
                        batch, codec=config.compression, level=config.compression_level
                    ),
                    outgoing.attributes(batch.labels, batch.route, BLOCK),
                ),
            )
            for number, rows, batch in parts
        ]

    def _records(self, number: int, batch: Batch) -> list[Outgoing]:
        shared = outgoing.attributes(batch.labels, batch.route, record.FORMAT)
        now_ns, json_columns = self.context.world.clock.wall_ns(), self._config.json_columns
        extractor = self._extractors.of(batch)
        frames = framed.frames_of(batch, extractor, json_columns, now_ns, shared)
        if frames is not None:
            encoded, ends = frames
            return [Outgoing(number, range(len(ends)), encoded, ends)] if ends else []
        bodies = record.encode_rows(batch, extractor, json_columns, now_ns)
        return [
            Outgoing(
                number,
                (row,),
                wire.message(body, shared, outgoing.insert_id(insert_id)),
            )
            for row, (insert_id, body) in enumerate(bodies)
        ]

    async def _divide(self, batches: Sequence[Batch], message: Outgoing) -> Sequence[Outgoing]:
        """The message's rows in two messages, or its one row without content."""
        batch = batches[message.batch]
        first, second = outgoing.halves(batch, message.rows)
        if not second:
            return [Outgoing(message.batch, first, b"")]
        wanted = [(message.batch, rows, outgoing.part(batch, rows)) for rows in (first, second)]
        return await self.context.world.offload.run(self._blocks, wanted)

    def _judged(self, failed: Sequence[Failed], took: bool) -> list[Failed]:
        """What was refused without a reason comes again, where it is not the messages' fault."""
        if took:
            self._suspicion.took()
        if took or not any(f.suspect for f in failed) or self._suspicion.blames_rows():
            return list(failed)
        why = next(f.reason for f in failed if f.suspect)
        retry = Retry(
            f"publish to {self._topic.name}: every message is refused: {why}; has the topic a "
            "schema that they do not match?"
        )
        self._appeals.make(retry.reason)
        return [Failed(f.message, f.reason, retry) if f.suspect else f for f in failed]
