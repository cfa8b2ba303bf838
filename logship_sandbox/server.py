"""Everything in one process: starts the services, says where they are, stops them.

All listen on loopback only, because nothing here checks credentials. Port 0 takes a free one.
BigQuery comes with `logship_sandbox.bigquery_server`, where that and what it needs are installed.
"""

import importlib
import importlib.util
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import grpc
import grpc.aio
from aiohttp import web
from google.pubsub_v1.types import Subscription, Topic

from logship_sandbox.admin import Admin
from logship_sandbox.faults import Counts, Faults
from logship_sandbox.logging_api import LoggingApi
from logship_sandbox.pubsub_api import PubsubApi
from logship_sandbox.pubsub_messages import PubsubError

PROJECT = "logship-sandbox"
_CLOSE_SECS = 2.0
_GRPC_OPTIONS = (
    ("grpc.so_reuseport", 0),  # a port that is taken is an error, not a second listener
    ("grpc.max_receive_message_length", 64 << 20),  # the limits are ours to tell, not gRPC's
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),  # clients' keepalives are welcome
)


@dataclass(frozen=True)
class Options:
    """What a sandbox can be told. Ports of 0 are chosen by the system."""

    host: str = "127.0.0.1"
    logging_port: int = 0
    pubsub_port: int = 0
    bigquery_port: int = 0
    bigquery_grpc_port: int = 0
    data_dir: str | None = None  # where BigQuery keeps its tables; None: in memory
    retention_secs: float = 0.0  # Cloud Logging stores no older entries; 0: of any age
    discard: bool = False  # Cloud Logging counts entries and ids, and keeps nothing
    pubsub_max_bytes: int = 1 << 30  # messages held; a publish beyond is RESOURCE_EXHAUSTED
    bigquery: bool = True
    topics: tuple[str, ...] = ()  # made at the start, each with a subscription of the same name

    def __post_init__(self) -> None:
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            loopback = self.host == "localhost"
        if not loopback:
            raise ValueError(
                f"the sandbox checks no credentials and listens on loopback only, not on "
                f"{self.host}: use 127.0.0.1"
            )


class _BigQuery(Protocol):
    http_port: int
    grpc_port: int

    async def close(self) -> None: ...


class _BigQueryModule(Protocol):
    async def start(
        self,
        host: str,
        http_port: int,
        grpc_port: int,
        data_dir: str | None,
        faults: Faults,
    ) -> _BigQuery: ...


class Sandbox:
    """Cloud Logging, Pub/Sub and BigQuery on loopback."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.faults = Faults()
        self.logging = LoggingApi(
            self.faults,
            discard=self.options.discard,
            retention_secs=self.options.retention_secs,
        )
        self.pubsub = PubsubApi(self.faults, self.options.pubsub_max_bytes)
        self.logging_port = 0
        self.pubsub_port = 0
        self._counts = {"logging": self.logging.counts, "pubsub": self.pubsub.counts}
        self._http: web.AppRunner | None = None
        self._grpc: grpc.aio.Server | None = None
        self._bigquery: _BigQuery | None = None

    @property
    def counts(self) -> Mapping[str, Counts]:
        """What each service did, by its name."""
        return self._counts

    async def start(self) -> None:
        """Listen on every port; OSError names the port that is taken."""
        try:
            await self._start()
        except BaseException:
            await self.close()
            raise

    async def _start(self) -> None:
        await self._start_logging()
        await self._start_pubsub()
        options = self.options
        if options.bigquery and importlib.util.find_spec("logship_sandbox.bigquery_server"):
            module = importlib.import_module("logship_sandbox.bigquery_server")
            self._bigquery = await cast(_BigQueryModule, module).start(
                options.host,
                options.bigquery_port,
                options.bigquery_grpc_port,
                options.data_dir,
                self.faults,
            )

    async def _start_pubsub(self) -> None:
        address = f"{_in_url(self.options.host)}:{self.options.pubsub_port}"
        self._grpc = grpc.aio.server(options=_GRPC_OPTIONS)
        self._grpc.add_generic_rpc_handlers(self.pubsub.handlers())
        try:
            self.pubsub_port = self._grpc.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(f"Pub/Sub cannot listen on {address}: {error}") from error
        for name in self.options.topics:
            self._make_topic(name)
        await self._grpc.start()

    def _make_topic(self, name: str) -> None:
        topic = f"projects/{PROJECT}/topics/{name}"
        subscription = f"projects/{PROJECT}/subscriptions/{name}"
        try:
            self.pubsub.catalog.create_topic(Topic.pb()(name=topic))
            self.pubsub.catalog.create_subscription(
                Subscription.pb()(name=subscription, topic=topic)
            )
        except PubsubError as error:
            raise ValueError(f"--topic {name}: {error}") from error

    async def _start_logging(self) -> None:
        options = self.options
        app = web.Application()
        app.add_routes(self.logging.routes())
        app.add_routes(Admin(self.faults, self._counts, self.logging).routes())
        # The bodies are decompressed by us, to bound what comes out; a client that goes away ends
        # the handler that a fault keeps hanging.
        self._http = web.AppRunner(
            app,
            auto_decompress=False,
            handler_cancellation=True,
            access_log=None,
            shutdown_timeout=_CLOSE_SECS,
        )
        await self._http.setup()
        site = web.TCPSite(self._http, options.host, options.logging_port)
        await site.start()
        self.logging_port = int(self._http.addresses[0][1])

    async def close(self) -> None:
        """Stop listening and end every open call."""
        self.logging.close()
        self.pubsub.close()
        if self._grpc is not None:
            await self._grpc.stop(_CLOSE_SECS)
        if self._bigquery is not None:
            await self._bigquery.close()
        if self._http is not None:
            await self._http.cleanup()

    def environment(self) -> dict[str, str]:
        """The variables that point clients here."""
        host = _in_url(self.options.host)
        base = f"http://{host}"
        variables = {
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "LOGSHIP_LOGGING_ENDPOINT": f"{base}:{self.logging_port}",
            "PUBSUB_EMULATOR_HOST": f"{host}:{self.pubsub_port}",
            "LOGSHIP_SANDBOX_ADMIN": f"{base}:{self.logging_port}/sandbox",
        }
        if self._bigquery is not None:
            variables["BIGQUERY_EMULATOR_HOST"] = f"{base}:{self._bigquery.http_port}"
            variables["LOGSHIP_BIGQUERY_STORAGE_ENDPOINT"] = f"{host}:{self._bigquery.grpc_port}"
        return variables


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
