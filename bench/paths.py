"""The paths through logship that are measured: routes and sinks, and what each cannot do without.

`limit` says what even the best agent must do per byte, in parts that `limits` has measured: `read`,
`parse`, `zstd` and `unzstd` per byte of log, `igzip` per byte of request before compression,
`loopback` per byte that was sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.destinations import Ports

Options = Mapping[str, object]
_WHEN = {"json.log_type": "app"}
PROJECT = "bench"


@dataclass(frozen=True)
class Path:
    """How the agent is told to ship."""

    sinks: Callable[[Ports], Mapping[str, Options]]
    limit: Mapping[str, float]
    routes: tuple[Options, ...] = ({"to": "sink"},)
    services: tuple[str, ...] = ()
    """Of the sink, beside HTTP."""
    what: str = ""


def _null(ports: Ports) -> Mapping[str, Options]:
    return {"sink": {"type": "null"}}


def _logging(**more: object) -> Callable[[Ports], Mapping[str, Options]]:
    def sinks(ports: Ports) -> Mapping[str, Options]:
        return {"sink": {**_place(ports), **more}}

    return sinks


def _two(ports: Ports) -> Mapping[str, Options]:
    return {"app": _place(ports), "rest": _place(ports)}


def _place(ports: Ports) -> dict[str, object]:
    return {
        "type": "cloud_logging",
        "project": PROJECT,
        "location": "asia-northeast1",
        "cluster": "bench",
        "endpoint": f"http://127.0.0.1:{ports.logging}",
    }


def _pubsub(form: str) -> Callable[[Ports], Mapping[str, Options]]:
    def sinks(ports: Ports) -> Mapping[str, Options]:
        endpoint = f"127.0.0.1:{ports.pubsub}"
        options = {"project": PROJECT, "topic": "logs", "endpoint": endpoint, "format": form}
        return {"sink": {"type": "pubsub", **options}}

    return sinks


_SENT = {"parse": 1.0, "loopback": 1.0}
PATHS: Mapping[str, Path] = {
    "null": Path(_null, {"parse": 1.0}, what="rows found, nothing sent"),
    "cloud_logging": Path(_logging(), _SENT, what="entries:write; JSON objects are recognised"),
    "cloud_logging_gzip": Path(
        _logging(gzip=True), {**_SENT, "igzip": 1.0}, what="the same, compressed"
    ),
    "cloud_logging_text": Path(
        _logging(json="never"), _SENT, what="entries:write; JSON stays text"
    ),
    "cloud_logging_parse_json": Path(
        _logging(),
        _SENT,
        ({"to": "sink", "transforms": [{"type": "parse_json"}]},),
        what="entries:write behind the transform `parse_json`",
    ),
    "cloud_logging_split": Path(
        _two,
        {"parse": 2.0, "loopback": 1.0},
        ({"name": "app", "when": _WHEN, "to": "app"}, {"to": "rest"}),
        what="`when` on a JSON field sends half to each of two sinks",
    ),
    "pubsub_record": Path(
        _pubsub("record"), _SENT, services=("pubsub",), what="a message per row, for BigQuery"
    ),
    "pubsub_block": Path(
        _pubsub("block"),
        {"read": 1.0, "zstd": 1.0, "loopback": 1.0},
        services=("pubsub",),
        what="compressed blocks, for the loader",
    ),
}
LOADER = "loader"
LOADER_LIMIT = {"unzstd": 1.0, "parse": 1.0, "loopback": 1.0}
LOADER_WHAT = "the loader's process: blocks from Pub/Sub into AppendRows"
