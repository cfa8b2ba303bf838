"""`logship test`: unit tests of a configuration, without network, credentials or a cluster.

Exit codes: 0 all tests pass, 1 one of them fails, 2 the configuration or a file of tests is wrong.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from logship.build import Misconfigured
from logship.cli.configuration import Unreadable, read, text_of
from logship.cli.results import as_dict, tell
from logship.config import render
from logship.parts import build
from logship.trial.reading import Loaded, check_names, examine
from logship.trial.running import Result, StandingClock
from logship.trial.running import run as run_case
from logship.world import Disk, Offload, World


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Tests a configuration: given these lines of these logs, which rows come to which sinks? "
        "It runs the agent's own routes and transforms, and shows what sinks would send. "
        "docs/testing-configs.md explains the files of tests."
    )
    command.add_argument(
        "-c", "--config", required=True, metavar="FILE", help="the configuration, in YAML"
    )
    command.add_argument("tests", nargs="+", metavar="TESTS", help="files of tests, in YAML")
    command.add_argument("--show", action="store_true", help="print all that sinks would send")
    command.add_argument("--json", action="store_true", help="print the results as JSON")
    command.add_argument(
        "--junit", metavar="FILE", help="also write the results to this file, as JUnit's XML"
    )


def run(options: argparse.Namespace) -> int:
    results: list[tuple[Result, Loaded]] = []
    for file in options.tests:
        loaded = _load(file)
        found = None if loaded is None else _run(options.config, loaded)
        if loaded is None or found is None:
            return 2
        results += [(result, loaded) for result in found]
    if options.json:
        listed = [as_dict(result, loaded) for result, loaded in results]
        print(orjson.dumps({"tests": listed}, option=orjson.OPT_INDENT_2).decode())
    else:
        for result, loaded in results:
            print("\n".join(tell(result, loaded, show=options.show)))
        print(_summary(results))
    if options.junit and not _write_junit(options.junit, results):
        return 2
    return 0 if all(result.passed for result, _ in results) else 1


def _load(file: str) -> Loaded | None:
    """None after everything wrong with it was printed."""
    try:
        examined = examine(text_of(file), file=file)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return None
    if examined.problems:
        print(render(examined.problems), file=sys.stderr)
    return examined.loaded


def _run(config_file: str, loaded: Loaded) -> list[Result] | None:
    """None after it was printed why there are no results."""
    written = read(config_file, loaded.tests.env, only_looks=True)
    if written is None:
        return None
    if problems := check_names(loaded, written.config):
        print(render(problems), file=sys.stderr)
        return None
    offload, clock = Offload(), StandingClock()
    try:
        parts = build(written.config, World(clock, Disk(offload), offload), logging.getLogger())
        return [
            run_case(case, f"tests[{number}]", written.config, parts, clock)
            for number, case in enumerate(loaded.tests.tests)
        ]
    except Misconfigured as error:
        written.explain(*error.problems)
        return None
    finally:
        offload.close()


def _write_junit(file: str, results: Sequence[tuple[Result, Loaded]]) -> bool:
    from logship.cli.junit import report

    try:
        Path(file).write_bytes(report(results))
    except OSError as error:
        print(f"{file}: cannot be written: {error.strerror}", file=sys.stderr)
        return False
    return True


def _summary(results: Sequence[tuple[Result, Loaded]]) -> str:
    failed = sum(not result.passed for result, _ in results)
    count = "1 test" if len(results) == 1 else f"{len(results)} tests"
    return f"{count}: all passed" if not failed else f"{count}: {failed} failed"
