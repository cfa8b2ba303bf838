"""Where the agent ships to: sinks that only count, each in a process of its own."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Destination:
    sink: str
    """The sink's options, in YAML."""
    admin: str | None
    """Where its counts are; None: it keeps none."""

    def arrived(self) -> tuple[int, int] | None:
        """(rows, different ids), where the destination counts them."""
        if self.admin is None:
            return None
        with urllib.request.urlopen(f"{self.admin}/stats", timeout=30) as answer:
            counts = json.load(answer)["logging"]
        return counts["entries"], counts["distinct_ids"]


@contextmanager
def destination(path: str, directory: Path) -> Iterator[Destination]:
    """A fresh destination for `path`, one of PATHS."""
    if path == "null":
        yield Destination('{type: "null"}', None)
        return
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "logship.cli", "sandbox", "--discard", "--no-bigquery",
         "--ready-file", str(ready)], stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not ready.exists():
            if server.poll() is not None:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.05)
        yield _made(path, json.loads(ready.read_text()))
    finally:
        server.terminate()
        server.wait(timeout=20)


def _made(path: str, environment: dict[str, str]) -> Destination:
    if path.startswith("cloud_logging"):
        gzip = "true" if path.endswith("gzip") else "false"
        sink = (
            f"{{type: cloud_logging, project: p, location: l, cluster: c, gzip: {gzip},"
            f' endpoint: "{environment["LOGSHIP_LOGGING_ENDPOINT"]}"}}'
        )
        return Destination(sink, environment["LOGSHIP_SANDBOX_ADMIN"])
    host = environment["PUBSUB_EMULATOR_HOST"]
    _make_topic(host)
    format = path.removeprefix("pubsub_")
    return Destination(
        f'{{type: pubsub, project: bench, topic: logs, format: {format}, endpoint: "{host}"}}', None
    )


def _make_topic(host: str) -> None:
    import grpc
    from google.pubsub_v1.types import Topic

    with grpc.insecure_channel(host) as channel:
        create = channel.unary_unary(
            "/google.pubsub.v1.Publisher/CreateTopic",
            request_serializer=Topic.pb().SerializeToString,
            response_deserializer=Topic.pb().FromString,
        )
        create(Topic.pb()(name="projects/bench/topics/logs"), timeout=20)


PATHS = ("null", "cloud_logging", "cloud_logging_gzip", "pubsub_block", "pubsub_record")
