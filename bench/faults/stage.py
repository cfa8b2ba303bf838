"""The processes of one scenario: two destinations, an agent with a route to each, a writer.

Both routes read all logs. Every process is ended by whoever started it, also when the benchmark is
interrupted. What the agent says in its own log is kept, to be looked at.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import orjson

from bench.faults.arrivals import Arrived
from bench.faults.sink import Command as SinkCommand
from bench.faults.sink import Fault
from bench.faults.writer import Command as WriterCommand
from bench.faults.writer import Plan, Written
from bench.ports import free_port
from bench.processes import ended
from bench.tail.stage import Agent

START_SECS = 30.0
FAULTY, OTHER = "faulty", "other"
MEMORY_BYTES = 64 << 20
"""The default of memory.max_bytes."""


class Route(msgspec.Struct):
    """What of `/status` is looked at."""

    waiting_bytes: int
    held_bytes: int
    writes_in_flight: int
    paused_secs: float
    delivered_rows: int
    dead_rows: int
    released_rows: int
    lost_events: int
    unaccounted_rows: int
    throttled: int
    retries: int
    bugs: int

    @property
    def at_rest(self) -> bool:
        return not (self.waiting_bytes or self.held_bytes or self.writes_in_flight)


class Status(msgspec.Struct):
    ready: bool
    origins: int
    checkpoint_age_secs: float | None
    deleted_bytes_held: int
    routes: dict[str, Route]


class Piped:
    """A process that answers each line of JSON by one."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def ask(self, command: msgspec.Struct) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(msgspec.json.encode(command) + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} has ended")
        return line


class Sink(Piped):
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(process)
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    def fault(self, fault: Fault) -> None:
        self.ask(SinkCommand(fault=fault))

    def phase(self, name: str) -> None:
        self.ask(SinkCommand(phase=name))

    def arrived(self) -> Arrived:
        return msgspec.json.decode(self.ask(SinkCommand(tell=True)), type=Arrived)


class Writing(Piped):
    def __init__(self, process: "subprocess.Popen[bytes]", plan: Plan) -> None:
        super().__init__(process)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan) + b"\n")

    def tell(self, **command: float | bool) -> Written:
        return msgspec.json.decode(self.ask(WriterCommand(**command)), type=Written)  # type: ignore[arg-type]


@dataclass
class Stage:
    directory: Path
    sinks: Mapping[str, Sink]
    writer: Writing
    options: Mapping[str, object]
    """Of the sink that has the fault, beside its own."""
    agent: Agent = field(init=False)
    log: Path = field(init=False)

    def status(self) -> Status:
        url = f"http://127.0.0.1:{self.agent.port}/status"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return msgspec.json.decode(answer.read(), type=Status)

    def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.agent.port}/metrics"
        with urllib.request.urlopen(url, timeout=30) as answer:
            found: bytes = answer.read()
        return found.decode()

    def said(self, text: str) -> int:
        """How many lines of the agent's log have this."""
        return sum(text in line for line in self.log.read_text().splitlines())

    @contextmanager
    def run_agent(self, name: str, routes: tuple[str, ...]) -> Iterator[Agent]:
        """With a state directory of that name below the stage's own; it begins at the beginning."""
        port = free_port()
        config, self.log = self.directory / f"{name}.json", self.directory / f"{name}.log"
        config.write_bytes(orjson.dumps(self._config(name, port, routes)))
        command = [sys.executable, "-m", "logship.cli", "run", "-c", str(config)]
        with self.log.open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        with ended(process):
            self.agent = Agent(process.pid, port)
            wait_for(f"the agent: {self.log}", START_SECS, self._ready)
            yield self.agent

    def _ready(self) -> bool:
        with suppress(OSError, urllib.error.URLError):
            return self.status().ready
        return False

    def _config(self, name: str, port: int, routes: tuple[str, ...]) -> Mapping[str, object]:
        place = {"type": "cloud_logging", "project": "p", "location": "l", "cluster": "c"}
        source = {
            "type": "kubernetes", "root": str(self.directory / "pods"),
            "start_from": "beginning", "metadata": {"from": "none"},
        }  # fmt: skip
        return {
            "cluster": "c",
            "node": "n",
            "sources": {"containers": source},
            "routes": [
                {"name": route, "from": ["containers"], "to": route, "continue": True}
                for route in routes
            ],
            "sinks": {
                route: {
                    **place,
                    "endpoint": f"http://127.0.0.1:{self.sinks[route].port}",
                    **(self.options if route == FAULTY else {}),
                }
                for route in routes
            },
            "state_dir": str(self.directory / "state" / name),
            "memory": {"max_bytes": MEMORY_BYTES},
            "admin": {"listen": f"127.0.0.1:{port}"},
        }


@contextmanager
def stage(directory: Path, plan: Plan, options: Mapping[str, object]) -> Iterator[Stage]:
    """Destinations and a writer that does not write yet; `options`: of the sink with the fault."""
    with ExitStack() as stack:
        sinks = {
            FAULTY: Sink(stack.enter_context(ended(python("bench.faults.sink")))),
            OTHER: Sink(stack.enter_context(ended(python("bench.faults.sink", "--delays")))),
        }
        process = stack.enter_context(ended(python("bench.faults.writer")))
        there = msgspec.structs.replace(plan, root=str(directory / "pods"))
        yield Stage(directory, sinks, Writing(process, there), options)


def wait_for(what: str, secs: float, look: Callable[[], bool], every_secs: float = 0.1) -> float:
    """How long it took until it was so. Raises RuntimeError when it takes longer than `secs`."""
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > secs:
            raise RuntimeError(f"in {secs:g} s there was no end of waiting for {what}")
        time.sleep(every_secs)
    return time.monotonic() - began


def python(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
