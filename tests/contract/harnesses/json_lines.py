"""Reads again what `stdout` and `file` wrote, for the contract suite."""

import os
from pathlib import Path
from typing import Any

import orjson

from logship.api import time_ns
from tests.contract.harness import Stored


def stored_lines(content: bytes) -> list[Stored]:
    """Blank lines are what a broken write left behind."""
    lines = [orjson.loads(line) for line in content.split(b"\n") if line]
    return [Stored(line["id"], time_ns(line["time"]), _text(line)) for line in lines]


def _text(line: dict[str, Any]) -> str:
    """Of a row that was parsed, its fields."""
    return str(line["text"]) if "text" in line else orjson.dumps(line["fields"]).decode()


def descriptors_of(path: Path) -> list[str]:
    """This process's open descriptors of files at or below the path."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:  # the one that listed the directory
            continue
        if target.startswith(str(path)):
            found.append(f"{fd}: {target}")
    return found
