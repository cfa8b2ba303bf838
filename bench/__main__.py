"""`python -m bench throughput [--json FILE]`, `python -m bench tail [--json FILE]`."""

import argparse
import sys
from pathlib import Path

import orjson

from bench.destinations import PATHS
from bench.tail import report
from bench.throughput import as_json, measure

_HEAD = (
    f"{'path':20} {'workload':8} {'MB/CPU-s':>9} {'min-max':>15} {'k rows':>7} {'MB/s':>7}"
    f" {'RSS MB':>7}  lost/doubled"
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_throughput(commands)
    _add_tail(commands)
    options = parser.parse_args()
    code: int = options.run(options)
    return code


def _add_tail(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    tail = commands.add_parser("tail", help="cost and delay of following 2,000 files")
    tail.add_argument("--json", type=Path, metavar="FILE")
    tail.add_argument("--parts", nargs="+", choices=report.NAMES, default=list(report.NAMES))
    tail.add_argument("--short", action="store_true", help="less exact, at most 40 s")
    tail.set_defaults(run=lambda found: report.run(found.parts, found.short, found.json))


def _add_throughput(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    throughput = commands.add_parser("throughput", help="MB of log per CPU-second of the agent")
    throughput.add_argument("--json", type=Path, metavar="FILE")
    throughput.add_argument("--paths", nargs="+", choices=PATHS, default=list(PATHS))
    throughput.add_argument("--workloads", nargs="+", choices=("text", "json"), default=["text"])
    throughput.add_argument("--files", type=int, default=20)
    throughput.add_argument("--mb", type=int, default=400, help="size of a workload")
    throughput.add_argument("--runs", type=int, default=3)
    throughput.set_defaults(run=_throughput)


def _throughput(options: argparse.Namespace) -> int:
    rows = []
    print(_HEAD)
    for kind in options.workloads:
        for row in measure(options.paths, kind, options.files, options.mb * 10**6, options.runs):
            rows.append(row)
            spread = f"{row.mb_per_cpu_s_min:.0f}-{row.mb_per_cpu_s_max:.0f}"
            found = "not counted" if row.lost is None else f"{row.lost}/{row.doubled}"
            print(
                f"{row.path:20} {row.workload:8} {row.mb_per_cpu_s:9.1f} {spread:>15}"
                f" {row.rows_per_cpu_s / 1000:7.0f} {row.mb_per_s:7.1f}"
                f" {row.peak_rss_mb:7.1f}  {found}",
                flush=True,
            )
    if options.json:
        options.json.write_bytes(orjson.dumps(as_json(rows), option=orjson.OPT_INDENT_2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
