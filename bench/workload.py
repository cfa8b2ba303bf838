"""Deterministic log files, as a container runtime writes them.

text: 201-byte lines with access-log texts. json: 402-byte lines with application events. Both have
1 % of stderr and 0.5 % of lines that the runtime cut (`P`), and times with trailing zeros cut.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

SEED = 20261123
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"


@dataclass(frozen=True)
class Workload:
    """Files of one kind of rows."""

    kind: str
    root: Path
    files: int
    bytes: int
    rows: int
    """Records: lines less the parts that a later line completes."""


def make(kind: str, root: Path, files: int, size: int) -> Workload:
    """Write about `size` bytes under `root`, in the tree of the kubelet."""
    dice = random.Random(SEED)
    text = _KINDS[kind]
    total = rows = 0
    for number in range(files):
        directory = root / f"team-{number % 5}_web-{number}_{number:08d}-0000-4000-8000" / "app"
        directory.mkdir(parents=True)
        content, found = _file(dice, text, size // files)
        (directory / "0.log").write_bytes(content)
        total += len(content)
        rows += found
    return Workload(kind, root, files, total, rows)


def _file(
    dice: random.Random, text: Callable[[random.Random, int], str], size: int
) -> tuple[bytes, int]:
    lines: list[str] = []
    at = rows = number = 0
    last = "F"
    while at < size or last == "P":
        number += 1
        time = f"2026-11-23T04:{number // 3_000_000 % 60:02d}:{number // 50_000 % 60:02d}"
        fraction = f".{number * 9973 % 1_000_000_000:09d}".rstrip("0").rstrip(".")
        stream = "stderr" if last == "F" and dice.random() < 0.01 else "stdout"
        last = "P" if stream == "stdout" and last == "F" and dice.random() < 0.005 else "F"
        line = f"{time}{fraction}Z {stream} {last} {text(dice, number)}\n"
        lines.append(line)
        at += len(line)
        rows += last == "F"
    return "".join(lines).encode(), rows


def access_line(dice: random.Random, number: int) -> str:
    """About 160 characters: with its CRI header 201 bytes."""
    path = f"/api/v1/items/{dice.randrange(10**6)}?page={number % 97}"
    head = f'10.{number % 8}.{dice.randrange(256)}.{dice.randrange(256)} - - "GET {path} HTTP/1.1"'
    line = f'{head} {dice.choice((200, 200, 200, 304, 404, 500))} {dice.randrange(10**5)} "{_AGENT}'
    return line.ljust(157, "x")[:157] + '"'


def event_line(dice: random.Random, number: int) -> str:
    """About 360 characters of JSON: with its CRI header 402 bytes."""
    event = {
        "severity": dice.choice(("INFO", "INFO", "INFO", "WARNING", "ERROR")),
        "message": "request finished",
        "http": {"method": "GET", "path": f"/v1/items/{dice.randrange(10**6)}", "status": 200},
        "user_id": dice.randrange(10**9),
        "duration_ms": dice.randrange(10**6) / 1000,
        "request_id": f"{dice.getrandbits(128):032x}",
        "region": "asia-northeast1",
        "retries": number % 3,
    }
    text = orjson.dumps(event).decode()
    return text[:-1] + ',"pad":"' + "y" * max(0, 349 - len(text)) + '"}'


_KINDS = {"text": access_line, "json": event_line}
