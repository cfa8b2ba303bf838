"""What reloads cost the routes that they do not change: `python -m bench.reload`.

The agent reads a backlog over an unchanged route; meanwhile its other route changes ten times a
second, every third time to something that is refused. The same without reloads; runs take turns,
and the medians of MB (10^6 bytes of log) per CPU-second are compared: what else the machine does
does not count.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import uvloop

from logship.config import load
from logship.log import set_up
from logship.pipeline import Pipeline
from logship.registry import Registry
from logship.reload.reloader import Reloader
from logship.testing import cri_line
from logship.world import Clock, Disk, Offload, World

RUNS = 3
FILES = 20
FILE_BYTES = 75_000_000
GAP_SECS = 0.1
CONFIG = """\
sources: {{logs: {{type: files, paths: [{root}/logs/*.log], format: cri, start_from: beginning}}}}
routes:
  - {{name: steady, from: [logs], to: kept, continue: true}}
{others}
sinks:
  kept: {{type: file, dir: {root}/out, max_bytes: 1000000, max_files: 1}}
  other: {{type: "null"}}
state_dir: {root}/state-{number}
log_level: error
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        _write(root)
        alone: list[float] = []
        among: list[float] = []
        for number in range(RUNS):
            for reloading, rates in ((False, alone), (True, among)):
                secs, reloads = uvloop.run(_run(root, 2 * number + reloading, reloading))
                rates.append(FILES * FILE_BYTES / secs / 1e6)
    print(
        f"{_spread(alone)} MB per CPU-second without reloads, {_spread(among)} with {reloads}:"
        f" {statistics.median(among) / statistics.median(alone):.1%}"
    )
    return 0


def _spread(rates: Sequence[float]) -> str:
    return f"{statistics.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f})"


def _write(root: Path) -> None:
    (root / "logs").mkdir()
    lines = (cri_line(f"row {number} " + "x" * 150, time_ns=10**18 + number) for number in count())
    block = b"".join(line for line, _ in zip(lines, range(5000), strict=False))
    for number in range(FILES):
        with (root / "logs" / f"{number}.log").open("wb") as file:
            for _ in range(FILE_BYTES // len(block)):
                file.write(block)


def _texts(root: Path, number: int) -> Iterator[str]:
    """Configurations; every third is refused, none changes the route `steady`."""
    for turn in count():
        stream = ("stdout", "stderr")[turn % 2]
        other = (
            f"  - {{name: other, from: [logs], match: {{path: '*/0.log'}},"
            f" when: {{stream: {stream}}}, to: other}}"
        )
        if turn % 3 == 2:
            other += "\n  - {name: broken}"
        yield CONFIG.format(root=root, others=other, number=number)


async def _run(root: Path, number: int, reloading: bool) -> tuple[float, int]:
    """CPU-seconds until the unchanged route has delivered everything, and how many reloads."""
    offload = Offload()
    texts, file = _texts(root, number), root / "logship.yaml"
    text = next(texts)
    config = load(text, file=str(file), env={}, registry=Registry.installed())
    agent = Pipeline(config, World(Clock(), Disk(offload), offload), set_up("critical"))
    reloader = Reloader(agent, str(file), text, {})
    stop = asyncio.Event()
    running = asyncio.create_task(agent.run(stop))
    await agent.reading.wait()
    began, steady = time.process_time(), agent.routes[0]
    wanted = sum(path.stat().st_size for path in (root / "logs").iterdir())
    while steady.counters.delivered_bytes < wanted:
        await asyncio.sleep(GAP_SECS)
        if reloading:
            file.write_text(next(texts))
            await reloader.reload()
    secs = time.process_time() - began
    assert agent.routes[0] is steady
    stop.set()
    await running
    offload.close()
    return secs, agent.reloads.results.total()


if __name__ == "__main__":
    raise SystemExit(main())
