"""Pieces of configurations that several tests use."""

from pathlib import Path

Options = dict[str, object]


def containers(root: Path, **more: object) -> Options:
    """A `kubernetes` source without an API server, from the first byte on."""
    return {"type": "kubernetes", "root": str(root), "start_from": "beginning", **more}


def file_sink(directory: Path) -> Options:
    return {"type": "file", "dir": str(directory), "max_bytes": 1 << 40}


def logging_sink(endpoint: str, project: str) -> Options:
    return {
        "type": "cloud_logging",
        "project": project,
        "location": "europe-west1",
        "cluster": "test",
        "endpoint": endpoint,
    }


def one_route(root: Path, sink: Options, **more: object) -> Options:
    """Everything below `root` to one sink, by a route named `all`."""
    return {
        "sources": {"containers": containers(root)},
        "routes": [{"name": "all", "from": ["containers"], "to": "out"}],
        "sinks": {"out": sink},
        **more,
    }
