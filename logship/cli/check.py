"""`logship check`: whether a configuration works on this machine, and with Google.

Exit codes: 0 all is well (warnings included), 1 something failed, 2 the configuration is wrong.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import orjson

from logship.api import Sink
from logship.build import Misconfigured
from logship.checking import components, local
from logship.cli.configuration import Written, read
from logship.cli.table import shown
from logship.config import Config
from logship.finding import Finding
from logship.parts import Parts, build
from logship.world import Clock, Disk, Offload, World
from logship.world.process import raise_open_files

_WORDS = {"ok": "ok      ", "warning": "warning ", "failed": "FAILED  "}
_HERE = "agent"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Checks whether a configuration would work: on this machine (logs that can be read, a "
        "state directory that can be written and locked, limits); with --live also with Google and "
        "the Kubernetes API (credentials, permissions, topics, tables), without storing anything. "
        "One line each; what is wrong says what to grant, create or change."
    )
    command.add_argument(
        "-c", "--config", required=True, metavar="FILE", help="the configuration, in YAML"
    )
    command.add_argument("--live", action="store_true", help="also ask what is reached by network")
    command.add_argument(
        "--roundtrip", action="store_true",
        help="also write 1,000 rows through each sink, and read them back where that can be done",
    )  # fmt: skip
    command.add_argument(
        "--loader", metavar="FILE",
        help="with --roundtrip: the configuration of the loader that runs, to read back in its "
        "sinks what is published",
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="print JSON")


@dataclass(frozen=True, slots=True)
class Line:
    who: str
    finding: Finding


def run(options: argparse.Namespace) -> int:
    written = read(options.config)
    loader = read(options.loader) if options.loader else None
    if written is None or (options.loader and loader is None):
        return 2
    logging.getLogger("logship.check").setLevel(logging.CRITICAL)  # findings say it
    raise_open_files()
    offload = Offload()
    world = World(Clock(), Disk(offload), offload)
    try:
        return asyncio.run(_check(options, written, loader, world))
    except _Wrong as wrong:
        wrong.written.explain(*wrong.error.problems)
        return 2
    finally:
        offload.close()


class _Wrong(Exception):
    """Components of this configuration found something wrong with it."""

    def __init__(self, written: Written, error: Misconfigured) -> None:
        self.written, self.error = written, error


def _built(written: Written, world: World) -> Parts:
    try:
        return build(written.config, world, logging.getLogger("logship.check"))
    except Misconfigured as error:
        raise _Wrong(written, error) from None


async def _check(
    options: argparse.Namespace, written: Written, loader: Written | None, world: World
) -> int:
    parts = _built(written, world)
    readers = {} if loader is None else _built(loader, world).sinks
    lines = []
    async for line in _lines(options, written.config, parts, readers, world):
        lines.append(line)
        if not options.json:
            print(_text(line), flush=True)
    if options.json:
        print(orjson.dumps(list(map(_as_dict, lines)), option=orjson.OPT_INDENT_2).decode())
    failed = sum(line.finding.level == "failed" for line in lines)
    if failed:
        print(f"{failed} of {len(lines)} checks failed", file=sys.stderr)
    return 1 if failed else 0


async def _lines(
    options: argparse.Namespace, config: Config, parts: Parts, readers: Mapping[str, Sink],
    world: World,
) -> AsyncIterator[Line]:  # fmt: skip
    for finding in local.findings(config, world.disk):
        yield Line(_HERE, finding)
    named = list(parts.components())
    for who, component in named:
        for finding in components.local(component):
            yield Line(who, finding)
    if options.live or options.roundtrip:
        found = await components.live(component for _, component in named)
        for (who, _), findings in zip(named, found, strict=True):
            for finding in findings:
                yield Line(who, finding)
    if options.roundtrip:
        from logship.checking.roundtrip import roundtrip

        async for name, finding in roundtrip(config, parts.sinks, readers, world):
            yield Line(f"sink {name}", finding)


def _text(line: Line) -> str:
    found = line.finding
    reason = f": {found.reason}" if found.reason else ""
    head = f"{_WORDS[found.level]}{shown(f'{line.who}: {found.about}{reason}')}"
    return "\n".join(
        [head, *(f"          {shown(text)}" for text in found.advice.split("\n") if text)]
    )


def _as_dict(line: Line) -> Mapping[str, str]:
    found = line.finding
    return {
        "who": line.who, "about": found.about, "level": found.level, "reason": found.reason,
        "advice": found.advice,
    }  # fmt: skip
