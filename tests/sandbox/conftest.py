"""A sandbox for one test in its event loop, and Pub/Sub servers as processes for the contract."""

import asyncio
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import aiohttp
import grpc
import grpc.aio
import orjson
import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from logship_sandbox.client import Rest
from logship_sandbox.server import Options, Sandbox
from tests.sandbox import googles_pubsub
from tests.sandbox.pubsub_pulling import NAME, TOPIC, Client, Test
from tests.sandbox.pubsub_service import Service

TEST_SECS = 20.0


Body = Callable[[Sandbox, Rest], Awaitable[None]]


@pytest.fixture
def with_sandbox() -> Callable[[Body], None]:
    """Run an async function with a started sandbox (no BigQuery) and a client of it."""

    def run(body: Body, options: Options | None = None) -> None:
        asyncio.run(_run(body, options or Options()))

    return run


async def _run(body: Body, options: Options) -> None:
    sandbox = Sandbox(replace(options, bigquery=False))
    await sandbox.start()
    try:
        async with asyncio.timeout(TEST_SECS), aiohttp.ClientSession() as session:
            base = sandbox.environment()["LOGSHIP_LOGGING_ENDPOINT"]
            await body(sandbox, Rest(session, base))
    finally:
        await sandbox.close()


@pytest.fixture(scope="session")
def pubsub_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of the sandbox's Pub/Sub, in a process of its own: gRPC's asyncio server wants no
    second event loop beside it, and the tests here have theirs."""
    ready = tmp_path_factory.mktemp("sandbox") / "ready.json"
    program = "import sys; from logship_sandbox.command import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "--no-bigquery", "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + TEST_SECS
        while not ready.exists():
            assert process.poll() is None, "the sandbox did not start"
            assert time.monotonic() < deadline, "the sandbox did not start"
            time.sleep(0.05)
        yield orjson.loads(ready.read_bytes())["PUBSUB_EMULATOR_HOST"]
    finally:
        process.terminate()
        assert process.wait(10) == 0


@pytest.fixture(params=["sandbox", "google"])
def pubsub_address(request: pytest.FixtureRequest) -> str:
    """Each test that takes this runs against the sandbox and against Google's own emulator."""
    name = "pubsub_sandbox" if request.param == "sandbox" else "pubsub_emulator"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    """host:port of Google's own Pub/Sub emulator."""
    with googles_pubsub.emulator() as address:
        yield address


@pytest.fixture
def service(pubsub_address: str) -> Iterator[Service]:
    """Clients of the sandbox, then of the emulator, with a project of the test's own."""
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(pubsub_address, options=options) as channel:
        yield Service(
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
            channel,
            f"projects/p-{uuid.uuid4().hex[:12]}",
        )


@pytest.fixture
def ready(service: Service) -> Service:
    """With a topic and a subscription."""
    service.create_topic()
    service.subscribe()
    return service


@pytest.fixture
def with_pubsub(with_sandbox: Callable[..., None]) -> Callable[[Test], None]:
    """Run an async test with a topic, a subscription and a client."""

    def run(test: Test) -> None:
        async def body(sandbox: Sandbox, rest: Rest) -> None:
            address = sandbox.environment()["PUBSUB_EMULATOR_HOST"]
            async with grpc.aio.insecure_channel(address) as channel:
                client = Client(channel)
                await client.call("CreateTopic", types.Topic(name=TOPIC), types.Topic)
                subscription = types.Subscription(name=NAME, topic=TOPIC)
                await client.call("CreateSubscription", subscription, types.Subscription)
                await test(sandbox, client)

        with_sandbox(body, Options())

    return run
