"""The processes of one measurement, and the tree of logs they share.

Every process is ended by whoever started it, also when the benchmark is interrupted.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from bench.ports import free_port
from bench.processes import cpu_ticks, ended, status_bytes
from bench.tail.sink import Arrived
from bench.tail.writer import Lines, Plan, Written

FIRST_LINES = 5
"""Of each file, before the agent starts."""
_ARRIVE_SECS = 45.0
_TICK = os.sysconf("SC_CLK_TCK")

_CONFIG = """\
sources:
  containers: {{type: kubernetes, root: {root}, start_from: beginning, metadata: {{from: none}}}}
routes:
  - {{name: bench, from: [containers], to: sink}}
sinks:
  sink:
    {{type: cloud_logging, project: p, location: l, cluster: c, endpoint: "http://127.0.0.1:{sink}"}}
cluster: bench
state_dir: {state}
admin: {{listen: "127.0.0.1:{port}"}}
log_level: warning
"""


class Sink:
    """The destination's process, asked over HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port

    def rows(self) -> int:
        return int(self._ask("rows"))

    def arrived(self) -> Arrived:
        return msgspec.json.decode(self._ask("delays"), type=Arrived)

    def reset(self) -> None:
        self._ask("reset", b"{}")

    def wait_for(self, rows: int) -> bool:
        """Whether so many came, in bounded time."""
        end = time.monotonic() + _ARRIVE_SECS
        while time.monotonic() < end:
            if self.rows() >= rows:
                return True
            time.sleep(0.1)
        return False

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        url = f"http://127.0.0.1:{self.port}/{path}"
        with urllib.request.urlopen(url, body, timeout=60) as answer:
            found: bytes = answer.read()
        return found


@dataclass(frozen=True)
class Agent:
    """The agent's process, as proc(5) shows it."""

    pid: int
    port: int
    """Of its own server."""

    def scrape(self) -> int:
        """Ask for its metrics; their bytes."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            return len(answer.read())

    def cpu_secs(self) -> float:
        """User and system time of all its threads."""
        return cpu_ticks(self.pid) / _TICK

    def forget_peak(self) -> None:
        """Of memory: from now on the peak is a new one."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_rss_mb(self) -> float:
        if not (peak := status_bytes(self.pid, "VmHWM")):
            raise RuntimeError(f"proc(5) names no VmHWM of {self.pid}")
        return peak / 1e6


@dataclass(frozen=True)
class Stage:
    """An agent that has read everything there is and has nothing to do."""

    tree: "Tree"
    sink: Sink
    agent: Agent


@dataclass(frozen=True)
class Tree:
    """Logs of containers as the kubelet lays them out, each in a pod of its own."""

    root: Path

    def path(self, namespace: str, number: int) -> str:
        uid = f"{crc32(namespace.encode()):08x}-0000-4000-8000-{number:012d}"
        pod = f"{namespace}_{namespace}-{number}_{uid}"
        return str(self.root / pod / "app" / "0.log")

    def paths(self, namespace: str, count: int) -> list[str]:
        return [self.path(namespace, number) for number in range(count)]

    def make(self, paths: Sequence[str]) -> int:
        """Each with a few lines; how many in all."""
        lines = Lines()
        for path in paths:
            Path(path).parent.mkdir(parents=True)
            Path(path).write_bytes(lines.next(FIRST_LINES))
        return FIRST_LINES * len(paths)


@contextmanager
def stage(directory: Path, files: dict[str, int], settle_secs: float) -> Iterator[Stage]:
    """`files`: how many there are at the start, by namespace."""
    tree = Tree(directory / "pods")
    rows = tree.make([path for name, count in files.items() for path in tree.paths(name, count)])
    with _sink() as sink, _agent(directory, tree, sink) as agent:
        if not sink.wait_for(rows):
            raise RuntimeError(f"the agent has not delivered {rows} rows in {_ARRIVE_SECS:.0f} s")
        time.sleep(settle_secs)
        sink.reset()
        yield Stage(tree, sink, agent)


@contextmanager
def _sink() -> Iterator[Sink]:
    with ended(_python("bench.tail.sink")) as process:
        assert process.stdout is not None
        yield Sink(int(process.stdout.readline()))


@contextmanager
def _agent(directory: Path, tree: Tree, sink: Sink) -> Iterator[Agent]:
    config, port = directory / "logship.yaml", free_port()
    config.write_text(
        _CONFIG.format(root=tree.root, sink=sink.port, state=directory / "state", port=port)
    )
    command = [sys.executable, "-m", "logship.cli", "run", "-c", str(config)]
    with ended(subprocess.Popen(command, start_new_session=True)) as process:
        yield Agent(process.pid, port)
        if process.poll() is not None:
            raise RuntimeError(f"the agent ended early, with {process.returncode}")


@contextmanager
def writing(plan: Plan) -> Iterator["Writing"]:
    """A process that carries out the plan beside the body of the `with`."""
    with ended(_python("bench.tail.writer")) as process:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan))
        process.stdin.close()
        process.stdin = None
        yield Writing(process)


class Writing:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def written(self) -> Written:
        """Waits until the plan is carried out."""
        out, _ = self._process.communicate()
        return msgspec.json.decode(out, type=Written)


def _python(module: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
