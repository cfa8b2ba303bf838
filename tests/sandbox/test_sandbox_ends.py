"""The sandbox ends cleanly while clients hold calls open: code 0, nothing on stderr.

gRPC reports a call whose task the end of the loop cancels, with a traceback. That is a race, lost
rarely; so it is asked here what it is about: that no task is left when the program is over.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import orjson
import pytest
from google.cloud.bigquery_storage_v1 import types

from tests.e2e.waiting import wait_for

PROGRAM = """
import asyncio, sys
from logship_sandbox.command import main

async def whole():
    code = await main(sys.argv[1:])
    print(f"{len(asyncio.all_tasks()) - 1} tasks are left")
    return code

sys.exit(asyncio.run(whole()))
"""
APPEND_ROWS = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
STREAM = "projects/p/datasets/d/tables/t/streams/_default"
CHANNELS, CALLS = 3, 20
TIMEOUT_SECS = 20


@pytest.mark.parametrize("gone", [False, True], ids=["they stay", "they go meanwhile"])
def test_it_ends_cleanly_while_loaders_are_connected(tmp_path: Path, gone: bool) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-c", PROGRAM, "--ready-file", str(ready)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    done, channels, calls = threading.Event(), [], []
    try:
        wait_for("start of the sandbox", TIMEOUT_SECS, ready.exists)
        place = orjson.loads(ready.read_bytes())["LOGSHIP_BIGQUERY_STORAGE_ENDPOINT"]
        for _ in range(CHANNELS):
            channels.append(grpc.insecure_channel(place, [("grpc.use_local_subchannel_pool", 1)]))
            calls += appending(channels[-1], done)
        process.send_signal(signal.SIGTERM)
        if gone:
            _close(channels)
        output, error = process.communicate(timeout=TIMEOUT_SECS)
    finally:
        process.kill()
        done.set()
        _close(channels)
    assert len(calls) == CHANNELS * CALLS
    assert (process.returncode, error) == (0, "")
    assert output.endswith("\n0 tasks are left\n")


def appending(channel: grpc.Channel, done: threading.Event) -> list[Iterator[bytes]]:
    """Calls that are open, as long as they are kept, and say nothing more until it is over."""
    calls = [channel.stream_stream(APPEND_ROWS)(_requests(done)) for _ in range(CALLS)]
    assert all(next(call) for call in calls)
    return calls


def _requests(done: threading.Event) -> Iterator[bytes]:
    """One that is answered: it lacks a schema, which ends no call."""
    yield types.AppendRowsRequest.serialize(types.AppendRowsRequest(write_stream=STREAM))
    done.wait(TIMEOUT_SECS)


def _close(channels: "list[grpc.Channel]") -> None:
    for channel in channels:
        channel.close()
