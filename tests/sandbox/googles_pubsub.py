"""Google's own Pub/Sub emulator, as a process; a test that needs it is skipped where it is not."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest

PROJECT = "emulated"
_START_SECS = 60


@contextmanager
def emulator() -> Iterator[str]:
    """Its host:port."""
    if shutil.which("gcloud") is None or shutil.which("java") is None:
        pytest.skip("Google's Pub/Sub emulator needs gcloud and java")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        ["gcloud", "beta", "emulators", "pubsub", "start", f"--host-port={address}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "CLOUDSDK_CORE_PROJECT": PROJECT},
        start_new_session=True,  # gcloud starts java: they are ended together
    )
    try:
        _wait_until_serving(address, process)
        yield address
    finally:
        os.killpg(process.pid, 9)
        process.wait(10)


def _wait_until_serving(address: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECS
    with grpc.insecure_channel(address) as channel:
        ready = grpc.channel_ready_future(channel)
        while time.monotonic() < deadline:
            if process.poll() is not None:
                pytest.skip("the Pub/Sub emulator is not installed: gcloud ended at once")
            try:
                ready.result(timeout=0.5)
                return
            except grpc.FutureTimeoutError:
                continue
    pytest.fail(f"the Pub/Sub emulator did not answer within {_START_SECS} s")
