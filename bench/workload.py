"""Deterministic log files in the kubelet's tree, as a container runtime writes them.

A and B are whole lines on stdout: the runtime cuts a line (`P`, then `F`) only when it is longer
than 16 KiB, or when an application flushes in the middle of it. C has parts, and stderr. Times rise
and have their trailing zeros cut, as containerd does. Pods have the labels that real ones have, in
a file for the metadata of the source. Files are written once and then lie in the page cache.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import orjson

from bench.lines import SEED, stems, token
from bench.mix import events

KINDS = ("A", "B", "B-plain", "C")
_TEAMS = ("player", "search", "payment", "catalog", "edge")
_WRITE_LINES = 20_000
_STEP_NS = 20_011


@dataclass(frozen=True)
class Workload:
    """Files of one kind of rows."""

    kind: str
    root: Path
    """As the kubelet's /var/log/pods."""
    pods: Path
    """Metadata of the pods, for `metadata: {from: file}`."""
    files: int
    bytes: int
    rows: int
    """Records: lines less the parts that a later line completes."""
    tokens: int
    """Numbered lines, parts too; 0: they are not numbered."""

    @property
    def paths(self) -> list[Path]:
        return sorted(self.root.glob("*/*/*.log"))


@dataclass
class _Counts:
    bytes: int = 0
    rows: int = 0
    lines: int = 0


def make(kind: str, directory: Path, files: int, size: int) -> Workload:
    """Write about `size` bytes in so many files under `directory`."""
    dice = random.Random(f"{SEED} {kind}")
    source = _mixed(dice) if kind == "C" else _numbered(kind, dice)
    counts, pods, root = _Counts(), [], directory / "pods"
    for number in range(files):
        pod = _pod(dice, number)
        pods.append(pod)
        place = root / f"{pod['namespace']}_{pod['name']}_{pod['uid']}" / "app"
        place.mkdir(parents=True)
        _write(place / "0.log", source, size // files, counts)
    known = directory / "pods.json"
    known.write_bytes(orjson.dumps({"pods": pods}))
    tokens = 0 if kind == "C" else counts.lines
    return Workload(kind, root, known, files, counts.bytes, counts.rows, tokens)


def _pod(dice: random.Random, number: int) -> dict[str, object]:
    team = _TEAMS[number % len(_TEAMS)]
    replica_set = f"{dice.getrandbits(40):010x}"
    return {
        "namespace": team,
        "name": f"{team}-web-{replica_set}-{number:05d}",
        "uid": f"{dice.getrandbits(128):032x}",
        "labels": {
            "app.kubernetes.io/name": f"{team}-web",
            "app.kubernetes.io/instance": f"{team}-web-prod",
            "app.kubernetes.io/version": f"2.{number % 40}.1",
            "app.kubernetes.io/managed-by": "Helm",
            "pod-template-hash": replica_set,
            "team": team,
            "topology.kubernetes.io/zone": f"asia-northeast1-{'abc'[number % 3]}",
        },
        "annotations": {"prometheus.io/scrape": "true"},
    }


Lines = Iterator[tuple[str, str, str]]
"""(stream, tag, text) without end."""


def _numbered(kind: str, dice: random.Random) -> Lines:
    pool, number = stems(kind, dice), 0
    while True:
        for before, after in pool:
            number += 1
            yield "stdout", "F", before + token(number) + after


def _mixed(dice: random.Random) -> Lines:
    pool = events(dice)
    while True:
        yield from chain.from_iterable(pool)


def _write(path: Path, source: Lines, size: int, counts: _Counts) -> None:
    """Whole records, at least `size` bytes (and at least one)."""
    at, now, last = 0, 0, "P"
    with path.open("wb") as file:
        lines: list[str] = []
        while at < size or last == "P":
            stream, last, text = next(source)
            now += _STEP_NS
            line = f"{_time(now)} {stream} {last} {text}\n"
            lines.append(line)
            at += len(line) if text.isascii() else len(line.encode())
            counts.rows += last == "F"
            counts.lines += 1
            if len(lines) >= _WRITE_LINES:
                file.write("".join(lines).encode())
                lines.clear()
        file.write("".join(lines).encode())
    counts.bytes += at


def _time(now: int) -> str:
    secs, nanos = divmod(now, 10**9)
    clock = f"2026-11-23T{4 + secs // 3600:02d}:{secs // 60 % 60:02d}:{secs % 60:02d}"
    return clock + f".{nanos:09d}".rstrip("0").rstrip(".") + "Z"
