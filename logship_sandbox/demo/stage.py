"""What runs besides the writer: the sandbox, the agent, the loader, and what they say."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import grpc
import orjson
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from logship_sandbox.demo.configs import PROJECT, SUBSCRIPTION, TOPIC, write_configs
from logship_sandbox.demo.processes import Child, stop_all
from logship_sandbox.demo.progress import Status

READY_SECS = 60.0
ACK_DEADLINE_SECS = 60
_LOOK_SECS = 0.05
_CALL_SECS = 2.0


class StageError(Exception):
    """Something did not start or stop as it should; the text says what, and its last words."""


class Stage:
    def __init__(self, directory: Path, session: aiohttp.ClientSession) -> None:
        self.directory = directory
        self.variables: Mapping[str, str] = {}
        self.session = session
        self._ports = free_port(), free_port()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **_no_proxy()}
        ready = directory / "sandbox.json"
        self._ready_file = ready
        self.sandbox, self.agent, self.loader = (
            Child(name, words, directory / f"{name}.log", environment)
            for name, words in (
                ("sandbox", ["sandbox", "--ready-file", str(ready)]),
                ("agent", ["run", "-c", str(directory / "agent.yaml")]),
                ("loader", ["run", "-c", str(directory / "loader.yaml")]),
            )
        )

    @property
    def logging_endpoint(self) -> str:
        return self.variables["LOGSHIP_LOGGING_ENDPOINT"]

    def bigquery_client(self) -> bigquery.Client:
        """Google's own client, pointed at the sandbox."""
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]
        endpoint = ClientOptions(api_endpoint=self.variables["BIGQUERY_EMULATOR_HOST"])
        return bigquery.Client(PROJECT, nobody, client_options=endpoint)

    async def start_sandbox(self) -> None:
        """With a topic, a subscription, and configurations that name its ports."""
        await self.sandbox.start()
        async with _in_time(self.sandbox, READY_SECS):
            while not self._ready_file.exists():
                await _still_running(self.sandbox)
        self.variables = orjson.loads(self._ready_file.read_bytes())
        write_configs(self.directory, self.variables, self._ports)
        await asyncio.to_thread(_make_subscription, self.variables["PUBSUB_EMULATOR_HOST"])

    async def started(self, child: Child, origins: int) -> None:
        """Start it, and wait until it has found so many origins."""
        await child.start()
        async with _in_time(child, READY_SECS):
            while (status := await self.status(child)) is None or status.origins < origins:
                await _still_running(child)

    async def status(self, child: Child) -> Status | None:
        """What it says of itself; None while it cannot answer."""
        port = self._ports[child is self.loader]
        timeout = aiohttp.ClientTimeout(total=_CALL_SECS)
        with suppress(aiohttp.ClientError, TimeoutError):
            url = f"http://127.0.0.1:{port}/status"
            async with self.session.get(url, timeout=timeout) as answer:
                return Status.of(await answer.json())
        return None

    async def close(self) -> None:
        """Nothing of it is left afterwards."""
        await self.agent.kill()
        await self.loader.kill()
        await stop_all([self.sandbox])


def free_port() -> int:
    """A port that nobody listens on now: `admin.listen` has to be known before the agent runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _no_proxy() -> dict[str, str]:
    """Loopback is never behind a proxy, whatever this machine is."""
    hosts = ",".join(filter(None, (os.environ.get("no_proxy"), "127.0.0.1,localhost")))
    return {"no_proxy": hosts, "NO_PROXY": hosts}


def _make_subscription(target: str) -> None:
    topic = f"projects/{PROJECT}/topics/{TOPIC}"
    name = f"projects/{PROJECT}/subscriptions/{SUBSCRIPTION}"
    with grpc.insecure_channel(target) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        publisher.create_topic(name=topic, timeout=10)
        subscriber.create_subscription(
            name=name, topic=topic, ack_deadline_seconds=ACK_DEADLINE_SECS, timeout=10
        )


@asynccontextmanager
async def _in_time(child: Child, secs: float) -> AsyncIterator[None]:
    """A bound that names the process that kept one waiting."""
    try:
        async with asyncio.timeout(secs):
            yield
    except TimeoutError:
        raise StageError(_complaint(child, f"is not ready after {secs:g} s")) from None


async def _still_running(child: Child) -> None:
    """A short wait; StageError when there is nothing to wait for any more."""
    if child.pid is None:
        raise StageError(_complaint(child, "has ended"))
    await asyncio.sleep(_LOOK_SECS)


def _complaint(child: Child, what: str) -> str:
    return f"the {child.name} {what}; its last words:\n{child.last_words()}"
