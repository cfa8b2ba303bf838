"""What is measured, and in which order: the whole matrix, or what the command line asks for.

Every workload is written once and all its paths run over it; a case is one row of the report.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.agent import Kind
from bench.limits import limits
from bench.loader import load
from bench.paths import LOADER, LOADER_LIMIT, PATHS
from bench.peers import PEER_PATHS, Peer
from bench.peers import ship as ship_peer
from bench.peers.known import PEERS
from bench.throughput import Found, Row, Run, row, ship, start_secs
from bench.workload import Workload, make

_SENT = {"parse": 1.0, "loopback": 1.0}
_JSON_PATHS = (
    "null", "cloud_logging_text", "cloud_logging", "cloud_logging_parse_json",
    "cloud_logging_gzip", "cloud_logging_split", "pubsub_record", "pubsub_block", LOADER,
)  # fmt: skip
_FEW = ("null", "cloud_logging")


@dataclass(frozen=True)
class Group:
    """Paths over one workload."""

    workload: str
    files: int
    paths: Sequence[str]
    kernel: Kind
    peers: bool = False


def whole(kind: Kind) -> list[Group]:
    """Everything: the kernel that is in use over all, the pure one over what is promised of it."""
    text = ("null", "cloud_logging", "cloud_logging_gzip", "pubsub_record", "pubsub_block")
    groups = [
        Group("A", 20, text, kind, peers=True),
        Group("B", 20, _JSON_PATHS, kind, peers=True),
        Group("B-plain", 20, _JSON_PATHS, kind),
        Group("C", 20, ("null", "cloud_logging", "pubsub_block"), kind),
        Group("A", 1, _FEW, kind),
        Group("A", 500, _FEW, kind),
    ]
    if kind == "compiled":
        groups += [Group("A", 20, _FEW, "pure"), Group("B", 20, _FEW, "pure")]
    return groups


@dataclass
class Session:
    """One call: how much, how often, and everything that was found so far."""

    mb: int = 2000
    peer_mb: int = 200
    runs: int = 3
    show: Callable[[Row], None] = print
    say: Callable[[str], None] = print
    rows: list[Row] = field(default_factory=list)
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    """Peers that could not be measured, and why."""
    _starts: dict[Kind, float] = field(default_factory=dict)

    @property
    def found(self) -> Found:
        return Found(self.rows, self.limits)

    def measure(self, groups: Sequence[Group]) -> None:
        for group in groups:
            for one in self._group(group):
                self.rows.append(one)
                self.show(one)

    def _group(self, group: Group) -> Iterator[Row]:
        with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
            mb = self.mb if group.kernel == "compiled" else self.mb // 2  # it takes its time
            work = make(group.workload, Path(made), group.files, mb * 10**6)
            self._measure_limits(work)
            for path in group.paths:
                yield self._ours(path, work, group.kernel)
        if group.peers:
            with tempfile.TemporaryDirectory(prefix="logship-bench-") as made:
                size = min(self.mb, self.peer_mb) * 10**6
                yield from self.peers(make(group.workload, Path(made), group.files, size))

    def _measure_limits(self, work: Workload) -> None:
        """Anew for each group: the best of all times counts, as noise only ever adds CPU."""
        best = self.limits.setdefault(work.kind, {})
        for name, speed in limits(work.paths[:50]).items():
            best[name] = max(best.get(name, 0.0), round(speed, 1))

    def _ours(self, path: str, work: Workload, kind: Kind) -> Row:
        def once() -> Run:
            return load(work, kind) if path == LOADER else ship(path, work, kind)

        runs = [once() for _ in range(self.runs)]
        needs = LOADER_LIMIT if path == LOADER else PATHS[path].limit
        start = None if path == LOADER else self.start(kind)
        return row(path, work, runs, needs, self.limits[work.kind], kernel=kind, start=start)

    def start(self, kind: Kind) -> float:
        """What a start costs, measured once."""
        if kind not in self._starts:
            self._starts[kind] = start_secs(kind)
        return self._starts[kind]

    def peers(self, work: Workload, known: Sequence[Peer] = PEERS) -> Iterator[Row]:
        """Those that are installed; of the others, and of those that fail, one line."""
        self._measure_limits(work)
        for peer in known:
            if peer.installed() is None:
                self._miss(f"{peer.name}: not installed")
                continue
            for path in peer.paths:
                if path != "parsed" or work.kind.startswith("B"):
                    try:
                        yield self._peer(peer, path, work)
                    except RuntimeError as error:  # what another program does must not end a report
                        self._miss(f"{peer.name}: `{path}` of {work.kind} failed: {error}")

    def _miss(self, line: str) -> None:
        if line not in self.missing:
            self.missing.append(line)
            self.say(line)

    def _peer(self, peer: Peer, path: str, work: Workload) -> Row:
        assert path in PEER_PATHS
        runs = [ship_peer(peer, path, work) for _ in range(self.runs)]
        needs = {"parse": 1.0} if path == "null" else _SENT
        limits = self.limits[work.kind]
        return row(path, work, runs, needs, limits, agent=peer.name, release=peer.release())
