"""A BigQuery for each test, spoken to by Google's own clients: the sandbox's, or local-bigquery.

`bigquery` is the sandbox in this process. `any_bigquery` is that one, and then local-bigquery, a
BigQuery that nobody here wrote; it wants Python 3.13 and a venv of its own, and is used where
LOGSHIP_LOCAL_BIGQUERY is the path of its executable.
"""

import asyncio
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import GoogleAPIError

from logship_sandbox import bigquery_server
from tests.sandbox.bigquery_harness import NO_RETRY, PROJECT, Trouble, Warehouse, client, warehouse

START_SECS = 30


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Servers run here, because Google's clients block."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(START_SECS)
    made.close()


@pytest.fixture(scope="session")
def sandbox_faults() -> Trouble:
    return Trouble()


@pytest.fixture(scope="session")
def sandbox_ports(
    loop: asyncio.AbstractEventLoop, sandbox_faults: Trouble
) -> Iterator[tuple[int, int]]:
    starting = bigquery_server.start("127.0.0.1", 0, 0, None, sandbox_faults)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(START_SECS)
    yield server.http_port, server.grpc_port
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(START_SECS)


@pytest.fixture(scope="session")
def local_ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    executable = os.environ.get("LOGSHIP_LOCAL_BIGQUERY", "")
    if not Path(executable).is_file():
        pytest.skip("LOGSHIP_LOCAL_BIGQUERY is not the path of local-bigquery's executable")
    http, rpc = _free_port(), _free_port()
    arguments = ["--host", "127.0.0.1", "--port", str(http), "--grpc-port", str(rpc)]
    folder = str(tmp_path_factory.mktemp("local-bigquery"))
    process = subprocess.Popen(
        [executable, *arguments, "--data-dir", folder, "--project", PROJECT],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_serving(http, process)
        yield http, rpc
    finally:
        process.terminate()
        process.wait(START_SECS)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_serving(http: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            list(client(http).list_datasets(timeout=1, retry=NO_RETRY))
            return
        except (GoogleAPIError, OSError):
            time.sleep(0.1)  # another program starts: nothing tells when it is ready
    raise AssertionError(f"local-bigquery does not serve; exit code {process.poll()}")


@pytest.fixture
def bigquery(sandbox_ports: tuple[int, int], sandbox_faults: Trouble) -> Iterator[Warehouse]:
    yield from warehouse("sandbox", sandbox_ports, sandbox_faults)


@pytest.fixture(params=["sandbox", "local-bigquery"])
def any_bigquery(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    fixture = "sandbox_ports" if request.param == "sandbox" else "local_ports"
    yield from warehouse(request.param, request.getfixturevalue(fixture), Trouble())
