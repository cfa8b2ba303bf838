"""The source `kubernetes` that sees by events alone, and a container's log of one line."""

from pathlib import Path

from logship_tail.kubernetes import Kubernetes, KubernetesConfig

from logship.testing import context

CRI = b"2026-11-23T04:46:31.5Z stdout F hello\n"
DOCKER = b'{"log":"hello\\n","stream":"stdout","time":"2026-11-23T04:46:31.5Z"}\n'
WEB = "shop_web-0_11-22"


def source(root: Path, **options: object) -> Kubernetes:
    # A full scan comes too late to make these tests pass: events must do it.
    settings = {"root": str(root), "scan_secs": 3600.0, **options}
    return Kubernetes(KubernetesConfig(**settings), context("containers"))  # type: ignore[arg-type]
