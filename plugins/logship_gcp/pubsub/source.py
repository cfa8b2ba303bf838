"""`pubsub` source: a subscription is one origin, whose feeds share leases.

Messages are pulled only while there is room in the bound of bytes and some route reads. Their
leases are extended until all their rows are settled, then they are acknowledged. An acknowledgement
that fails, and a loader that dies, only mean that a message comes again: with the same ids.

Unary Pull is the default: it works the same everywhere, while Google's own emulator never recovers
from a StreamingPull that was cancelled. Blocks are large, so calls are few.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from logship.api import Catalog, ConfigError, Context, Finding, Labels, Origin, Source
from logship_gcp.pubsub import channel, names
from logship_gcp.pubsub.consumer import Consumer, Limits
from logship_gcp.pubsub.leases import Leases
from logship_gcp.pubsub.subscriber import Subscriber


class PubsubSourceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of the source `pubsub`."""

    subscription: Annotated[
        str,
        Meta(
            description="The subscription: its name, or `projects/PROJECT/subscriptions/NAME`. It "
            "must exist, be a pull subscription, and serve nobody else.",
            examples=["app-logs-loader"],
        ),
    ]
    project: Annotated[
        str,
        Meta(description="The subscription's project. Empty: that of the default credentials."),
    ] = ""
    endpoint: Annotated[
        str,
        Meta(
            description="Where Pub/Sub is: a host, with a port if it is not 443. Loopback and "
            "`http://` mean plain text without credentials (sandbox, emulator).",
            examples=["europe-west1-pubsub.googleapis.com", "127.0.0.1:8085"],
        ),
    ] = "pubsub.googleapis.com"
    pull: Annotated[
        Literal["unary", "streaming"],
        Meta(
            description="`unary` asks again and again, and works with every server; `streaming` "
            "keeps a stream open, which has less delay when messages are rare."
        ),
    ] = "unary"
    concurrency: Annotated[
        int, Meta(ge=1, le=32, description="Pulls, or streams, at the same time.")
    ] = 2
    max_outstanding_bytes: Annotated[
        int,
        Meta(
            ge=1024 * 1024,
            description="Unpacked messages that are held: nothing is pulled beyond that.",
        ),
    ] = 128 * 1024 * 1024
    lease_secs: Annotated[
        float,
        Meta(
            ge=10,
            le=600,
            description="For how long messages are leased; leases of messages that are worked on "
            "are extended. When a loader dies, its messages come again after that time.",
        ),
    ] = 60.0
    request_timeout_secs: Annotated[
        float, Meta(gt=0, le=600, description="How long one call may take; a pull waits so long.")
    ] = 30.0


class PubsubSource(Source):
    """Reads a Pub/Sub subscription: blocks and records of logship, or any other messages."""

    config = PubsubSourceConfig

    @classmethod
    def heeds_wishes(cls, config: msgspec.Struct) -> bool:
        return False  # who has read the logs has heeded what their pods ask for

    def __init__(self, config: msgspec.Struct, context: Context) -> None:
        super().__init__(config, context)
        assert isinstance(config, PubsubSourceConfig)
        self._path = f"sources.{context.name}"
        problem = names.problem("subscriptions", config.subscription)
        if problem is not None:
            raise ConfigError(f"{self._path}.subscription", problem)
        self._config = config
        self._endpoint = channel.Endpoint.parse(config.endpoint)
        if self._endpoint.plain and not config.project and not names.is_whole(config.subscription):
            reason = "needed: an endpoint without credentials names no project"
            raise ConfigError(f"{self._path}.project", reason)
        self._leases = Leases()
        self._ending: asyncio.Task[None] | None = None

    async def check_live(self) -> Sequence[Finding]:
        from logship_gcp.pubsub.checking import check_named

        name, project = self._config.subscription, self._config.project
        return await check_named("subscriptions", name, project, self._endpoint, self.context.world)

    async def run(self, catalog: Catalog) -> None:
        world, config = self.context.world, self._config
        project = config.project
        if not project and not names.is_whole(config.subscription):
            project = await channel.default_project(world, self._path)
        name = names.whole("subscriptions", project, config.subscription)
        link = await channel.Link.open(self._endpoint, world, self._path)
        consumer = Consumer(
            Subscriber(link, name, config.request_timeout_secs),
            self._leases,
            Limits(config.max_outstanding_bytes, int(config.lease_secs)),
            self.context,
        )
        origin = Origin(name, Labels({"source": self.context.name, "subscription": name}))
        catalog.add(origin, lambda on_ready: self._leases.open(origin, on_ready))
        catalog.complete()
        try:
            await consumer.run(config.concurrency, streaming=config.pull == "streaming")
        except asyncio.CancelledError:
            # What has been read is still being delivered; its acknowledgements come afterwards.
            self._ending = asyncio.get_running_loop().create_task(consumer.end())
            raise
        except BaseException:
            await link.close()
            raise
