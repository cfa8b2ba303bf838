"""`python -m bench.sink READY_FILE SERVICE...`: listens until SIGTERM; its ports, as JSON, there.

Only what is asked for is imported: gRPC and Arrow take a second to start.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from bench.sink import http
from bench.sink.counts import Counts


def main(ready: Path, services: Sequence[str]) -> None:
    counts, stats = Counts(), Stats()
    stats.add(counts.as_dict)
    ports = {"logging": http.serve(counts, stats.all), "lines": http.serve_lines(counts)}
    if "pubsub" in services:
        from bench.sink import pubsub

        topic = pubsub.Pubsub(counts)
        stats.add(topic.as_dict, first=True)
        ports["pubsub"] = pubsub.serve(pubsub.publish_handler(topic))
    if "bigquery" in services:
        from bench.sink import bigquery, pubsub

        ports["bigquery"] = pubsub.serve(bigquery.append_handler(bigquery.BigQuery(counts)))
    unfinished = ready.with_suffix(".tmp")
    unfinished.write_bytes(orjson.dumps(ports))
    unfinished.rename(ready)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # its threads wait for agents that are gone


class Stats:
    """What all services tell."""

    def __init__(self) -> None:
        self._parts: list[Callable[[], dict[str, int]]] = []

    def add(self, part: Callable[[], dict[str, int]], *, first: bool = False) -> None:
        self._parts.insert(0 if first else len(self._parts), part)

    def all(self) -> dict[str, int]:
        return {name: value for part in self._parts for name, value in part().items()}


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]), sys.argv[2:])
