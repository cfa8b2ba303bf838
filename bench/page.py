"""docs/benchmarks.md out of results.json: tables, and what a reader has to know to believe them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from bench.paths import LOADER, LOADER_WHAT, PATHS
from bench.peers import PEER_PATHS
from bench.peers.known import ELSEWHERE, PEERS


class ResultRow(msgspec.Struct):
    """A `throughput.Row`, from JSON."""

    path: str
    workload: str
    files: int
    agent: str
    version: str
    kernel: str
    runs: int
    mb: float
    mb_per_cpu_s: float
    mb_per_cpu_s_min: float
    mb_per_cpu_s_max: float
    rows_per_cpu_s: int
    mb_per_s: float
    peak_rss_mb: float
    lost: int
    doubled: int
    share_of_limit: float
    cpu_s: float
    cpu_s_min: float
    start_cpu_s: float | None = None
    compression_ratio: float | None = None


class Results(msgspec.Struct):
    """results.json."""

    machine: dict[str, str | int | float]
    limits: dict[str, dict[str, float]]
    rows: list[ResultRow]
    micro: dict[str, dict[str, float]]
    files: dict[str, list[tuple[int, float]]]
    rss: dict[str, list[tuple[float, float]]]
    idle_rss_mb: float
    missing: list[str]


_HEAD = """\
# Benchmarks

Made by `python -m bench report`; do not edit. MB are 10^6 bytes of log file, {mb:.0f} MB a run.
CPU is that of the whole process, user and system, all threads, from its start to its end (`wait4`);
{start} of it are the start alone, however much log there is. Each figure is the median of {runs}
runs, with the least and the greatest. Data lie in the page cache; the sink is a process of its own
on loopback, which counts rows and checks ids; it has the same cores, and MB/s (wall clock) is often
its limit rather than the agent's.

{cpu}, {cores} cores, {memory_gb} GB; {system}, Linux {linux}; Python {python}; logship {logship}
({commit}); load average at the end {load_average}.

![MB of log per CPU-second](benchmarks/throughput.png)

## Workloads

| | |
|---|---|
| A | access lines, 201 bytes with the header of the runtime |
| B | JSON application logs, 402 bytes, with severity, time, trace, spanId and httpRequest |
| B-plain | the same length, without any special field |
| C | a mix: access lines, JSON, Japanese text and emoji, stack traces, stderr, texts cut in parts |

Rows of A and B are whole lines on stdout; stderr and cut texts are in C only. All are seeded. Pods
have seven labels, which go along to Cloud Logging.
"""
_COLUMNS = (
    "| path | workload | files | kernel | MB/CPU-s | min-max | k rows/CPU-s | MB/s | RSS MB |"
    " of its limit | ratio | lost | doubled |\n|---|---|--:|---|" + "--:|" * 9
)


def text(found: Results) -> str:
    """The whole page."""
    parts = [
        _head(found),
        "## logship\n",
        _COLUMNS,
        *(_row(row) for row in found.rows if row.agent == "logship"),
        _ways(),
        _peers(found),
        _limits(found),
        _files(found),
        _memory(found),
        _micro(found),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _head(found: Results) -> str:
    starts = [row.start_cpu_s for row in found.rows if row.start_cpu_s]
    start = f"{min(starts):.2f} s" if starts else "some"
    mb = max((row.mb for row in found.rows), default=0.0)
    runs = max((row.runs for row in found.rows), default=0)
    machine = {"commit": "", **found.machine}
    return _HEAD.format(start=start, mb=mb, runs=runs, **machine)


def _row(row: ResultRow, name: str | None = None) -> str:
    ratio = "" if row.compression_ratio is None else f"{row.compression_ratio:.1f}"
    cells = (
        f"`{row.path}`" if name is None else name, row.workload, row.files, row.kernel,
        f"**{row.mb_per_cpu_s:.0f}**", f"{row.mb_per_cpu_s_min:.0f}-{row.mb_per_cpu_s_max:.0f}",
        f"{row.rows_per_cpu_s / 1000:.0f}", f"{row.mb_per_s:.0f}", f"{row.peak_rss_mb:.0f}",
        f"{row.share_of_limit:.0%}", ratio, row.lost, row.doubled,
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _ways() -> str:
    ways = [(name, way.what) for name, way in PATHS.items()] + [(LOADER, LOADER_WHAT)]
    listed = "".join(f"- `{name}`: {what}.\n" for name, what in ways)
    return (
        f"\n{listed}\nOf `null` the agent itself counts the rows. The ratio of blocks is log to"
        " compressed message; of gzip it is request to compressed request. The kernel `pure` is"
        " what an installation without a compiler has.\n"
    )


def _peers(found: Results) -> str:
    rows = [row for row in found.rows if row.agent != "logship"]
    lines = ["## Beside others\n"]
    if rows:
        listed = [_row(row, f"{row.agent}: `{row.path}`") for row in rows]
        lines += ["Measured in the same run, same data, same sink.\n", _COLUMNS, *listed, ""]
        notes = {peer.name: peer.note for peer in PEERS}
        lines += sorted({f"- {r.agent}: {r.version}; {notes.get(r.agent, '')}" for r in rows})
        lines += [f"- `{name}`: {what}." for name, what in PEER_PATHS.items()]
        lines += ["", *_ratios(found.rows)]
    lines += [f"- {line}" for line in found.missing]
    lines += [
        "\n**Measured elsewhere**, on another machine (2 cores, Debian 12, 1 GiB in 20 files, whole"
        " process, median of 3), for orientation until the agent is installed here:\n",
        "| agent | workload | what it did | MB/CPU-s | logship, here | |",
        "|---|---|---|--:|--:|--:|",
        *_elsewhere(found.rows),
    ]
    return "\n".join(lines) + "\n"


def _ours(rows: Iterable[ResultRow]) -> dict[tuple[str, str], float]:
    """By path and workload, of 20 files, with the kernel that is in use."""
    return {
        (row.path, row.workload): row.mb_per_cpu_s
        for row in reversed(list(rows))
        if row.agent == "logship" and row.files == 20
    }


def _elsewhere(rows: Iterable[ResultRow]) -> Iterator[str]:
    ours = _ours(rows)
    for one in ELSEWHERE:
        own = ours.get((one.path, one.workload))
        beside = f"{own:.0f} | {own / one.mb_per_cpu_s:.1f} x" if own else " | "
        yield f"| {one.agent} | {one.workload} | {one.what} | {one.mb_per_cpu_s:g} | {beside} |"


def _ratios(rows: Sequence[ResultRow]) -> Iterator[str]:
    """logship over each peer, where both did the same work."""
    same = {"null": "null", "lines": "cloud_logging_text", "parsed": "cloud_logging"}
    ours = _ours(rows)
    for row in rows:
        if row.agent == "logship":
            continue
        path = "cloud_logging" if row.workload == "A" and row.path == "lines" else same[row.path]
        if own := ours.get((path, row.workload)):
            times = own / row.mb_per_cpu_s
            yield f"- {row.workload}: logship `{path}` is {times:.1f} x {row.agent} `{row.path}`"


_WHERE = Path(__file__).with_name("where.md")
"""What a person found by profiling, and would do next: the only text that is written by hand."""

_LIMIT_WHAT = {
    "read": "read(2) from the page cache",
    "scan": "the same, and Python's count of newlines",
    "parse": "read(2) and the kernel's strict index, memchr(3) from line to line",
    "igzip": "compression, level 1, per MB of request",
    "zstd": "compression of blocks, level 1",
    "unzstd": "the way back",
    "loopback": "send(2) over TCP, per MB sent",
    "calibrate": "a mix of Python and C that is not ours: what CI compares with",
}


def _limits(found: Results) -> str:
    """What the machine needs at least."""
    kinds = list(found.limits)
    lines = [
        "## The limit\n",
        "What this machine can do at most, one thread, MB per CPU-second, in the same run. `of its"
        " limit` above: the CPU of the parts that a path cannot do without, over what it took.\n",
        "| | " + " | ".join(kinds) + " | |\n|---|" + "--:|" * len(kinds) + "---|",
    ]
    for name, what in _LIMIT_WHAT.items():
        cells = [f"{found.limits[kind].get(name, 0):.0f}" for kind in kinds]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {what} |")
    return "\n".join(lines) + "\n"


def _files(found: Results) -> str:
    lines = [
        "## From 1 to 2,000 files\n",
        "![Cost of a row by number of files](benchmarks/files.png)\n",
        "CPU-ns a row of A, the same bytes in so many files, start included, best of two runs.\n",
    ]
    counts = [str(count) for count, _ in next(iter(found.files.values()), [])]
    lines.append("| path | " + " | ".join(counts) + " |\n|---|" + "--:|" * len(counts))
    for path, points in found.files.items():
        lines.append(f"| `{path}` | " + " | ".join(f"{ns:.0f}" for _, ns in points) + " |")
    return "\n".join(lines) + "\n"


def _memory(found: Results) -> str:
    return (
        "## Memory over time\n\n![Resident memory over time](benchmarks/memory.png)\n\n"
        "Resident memory of one run each, of A in two sizes: what an agent holds must not grow with"
        f" the amount of log. An agent that waits for more holds {found.idle_rss_mb:.0f} MB.\n"
    )


def _micro(found: Results) -> str:
    kinds = list(next(iter(found.micro.values()), {}))
    lines = [
        "## Where the time goes\n",
        _WHERE.read_text(),
        "![ns per row by stage](benchmarks/stages.png)\n",
        "`python -m bench micro`: nanoseconds a row, in one thread, least of five rounds.\n",
        "| stage | " + " | ".join(kinds) + " |\n|---|" + "--:|" * len(kinds),
    ]
    for stage, by_kind in found.micro.items():
        lines.append(f"| {stage} | " + " | ".join(f"{by_kind[k]:.0f}" for k in kinds) + " |")
    return "\n".join(lines) + "\n"
