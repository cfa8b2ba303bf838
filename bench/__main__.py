"""Benchmarks of whole processes, on workloads made here. See docs/benchmarks.md.

python -m bench throughput   MB of log per CPU-second: every path, limits, peers, losses
python -m bench micro        ns per row of each stage, pure and compiled
python -m bench tail         cost and delay of following 2,000 files
python -m bench faults       sinks and disks that fail: memory, losses, delays, catch-up
python -m bench report       `throughput` and `micro`, as docs/benchmarks.md with plots
"""

import argparse
import sys
from pathlib import Path

import orjson

from bench import short
from bench.faults import report as faults_report
from bench.paths import LOADER, PATHS
from bench.plan import Group, Session, whole
from bench.tail import report as tail_report
from bench.throughput import Row, as_json
from bench.workload import KINDS
from logship.rows import kernel

_HEAD = (
    f"{'agent':11} {'path':25} {'workload':8} {'files':>5} {'kernel':8} {'MB/CPU-s':>9}"
    f" {'min-max':>13} {'k rows':>6} {'MB/s':>6} {'RSS MB':>6} {'limit':>6} {'ratio':>5}"
    "  lost/doubled"
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(required=True)
    _add_throughput(commands)
    _add_micro(commands)
    _add_tail(commands)
    _add_faults(commands)
    _add_report(commands)
    options = parser.parse_args()
    code: int = options.run(options)
    return code


def _add_throughput(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    throughput = commands.add_parser("throughput", help="MB of log per CPU-second of the agent")
    throughput.add_argument("--json", type=Path, metavar="FILE", help="write all rows there")
    throughput.add_argument("--short", action="store_true", help="a minute; fails on regressions")
    throughput.add_argument("--paths", nargs="+", choices=(*PATHS, LOADER), help="only these")
    throughput.add_argument("--workloads", nargs="+", choices=KINDS, help="only these")
    throughput.add_argument("--files", nargs="+", type=int, help="only so many (1, 20, 500)")
    throughput.add_argument("--kernel", choices=("compiled", "pure"), default=kernel.in_use())
    throughput.add_argument("--mb", type=int, default=2000, help="size of a workload")
    throughput.add_argument("--peer-mb", type=int, default=200, help="the same, of the peers")
    throughput.add_argument("--runs", type=int, default=3)
    throughput.add_argument("--no-peers", dest="peers", action="store_false")
    throughput.set_defaults(run=_throughput)


def _throughput(options: argparse.Namespace) -> int:
    session = Session(options.mb, options.peer_mb, options.runs, show=_show)
    print(_HEAD)
    code = 0
    if options.short:
        code = short.run(session)
    else:
        session.measure(_groups(options))
    if options.json:
        found = as_json(session.found)
        options.json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return code


def _groups(options: argparse.Namespace) -> list[Group]:
    """The whole matrix, less what was not asked for; other numbers of files as asked."""
    found = whole(options.kernel)
    if options.files:
        found = [
            Group(g.workload, files, g.paths, g.kernel, g.peers and files == 20)
            for g in found if g.files == 20 for files in options.files
        ]  # fmt: skip
    kept = []
    for group in found:
        paths = [p for p in group.paths if not options.paths or p in options.paths]
        if paths and (not options.workloads or group.workload in options.workloads):
            peers = group.peers and options.peers
            kept.append(Group(group.workload, group.files, paths, group.kernel, peers))
    return kept


def _show(row: Row) -> None:
    spread = f"{row.mb_per_cpu_s_min:.0f}-{row.mb_per_cpu_s_max:.0f}"
    ratio = "" if row.compression_ratio is None else f"{row.compression_ratio:.1f}"
    print(
        f"{row.agent:11} {row.path:25} {row.workload:8} {row.files:5} {row.kernel:8}"
        f" {row.mb_per_cpu_s:9.1f} {spread:>13} {row.rows_per_cpu_s / 1000:6.0f}"
        f" {row.mb_per_s:6.0f} {row.peak_rss_mb:6.1f} {row.share_of_limit:6.1%} {ratio:>5}"
        f"  {row.lost}/{row.doubled}",
        flush=True,
    )


def _add_micro(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    micro = commands.add_parser("micro", help="ns per row of each stage")
    micro.add_argument("--json", type=Path, metavar="FILE")
    micro.set_defaults(run=_micro)


def _micro(options: argparse.Namespace) -> int:
    from bench import micro

    found = micro.measure()
    print(micro.table(found))
    if options.json:
        options.json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return 0


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tail = commands.add_parser("tail", help="cost and delay of following 2,000 files")
    tail.add_argument("--json", type=Path, metavar="FILE")
    names = tail_report.NAMES
    tail.add_argument("--parts", nargs="+", choices=names, default=list(names))
    tail.add_argument("--short", action="store_true", help="less exact, at most 40 s")
    tail.set_defaults(run=lambda found: tail_report.run(found.parts, found.short, found.json))


def _add_faults(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    faults = commands.add_parser("faults", help="sinks and disks that fail (a quarter of an hour)")
    faults.add_argument("--json", type=Path, metavar="FILE")
    names = faults_report.NAMES
    faults.add_argument(
        "--only", nargs="*", choices=names, default=list(names), metavar="NAME",
        help=f"of {', '.join(names)}; none: the page is made again of its results.json",
    )  # fmt: skip
    faults.add_argument("--short", action="store_true", help="a trial: its figures mean nothing")
    faults.add_argument("--write", type=Path, metavar="DOCS", help="the page and its plots there")
    faults.set_defaults(run=_faults)


def _faults(options: argparse.Namespace) -> int:
    return faults_report.run(options.only, options.short, options.json, options.write)


def _add_report(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    report = commands.add_parser("report", help="docs/benchmarks.md with plots")
    report.add_argument("--mb", type=int, default=2000, help="size of a workload")
    report.add_argument("--peer-mb", type=int, default=200, help="the same, of the peers")
    report.add_argument("--runs", type=int, default=3)
    report.add_argument("--docs", type=Path, default=Path(__file__).parent.parent / "docs")
    report.add_argument("--again", action="store_true", help="from results.json, no measuring")
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from bench import report

    session = Session(options.mb, options.peer_mb, options.runs, show=_show)
    print(_HEAD)
    return report.write(options.docs, None if options.again else session)


if __name__ == "__main__":
    sys.exit(main())
