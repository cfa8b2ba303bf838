"""The command `logship`. Each subcommand is a module here; what it needs is imported when it runs.

Exit codes: 0 done, 1 something failed while running, 2 the command line or the configuration must
be changed.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence

_DESCRIPTION = """\
logship ships container logs: pod stdout to Cloud Logging, application logs through Pub/Sub into
BigQuery. It tails the files the container runtime writes, and loses nothing: the log on disk is its
queue, and a position moves only when the destination has confirmed.
"""
_EPILOG = """\
A first look:  logship demo            everything on this machine, about a minute
On a node:     logship run -c logship.yaml
"""

Run = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] in (["sandbox"], ["demo"]):
        return _run_sandbox(words[0], words[1:])
    options = _parser(words).parse_args(words)
    module = importlib.import_module(f"logship.cli.{options.command}")
    run: Run = module.run
    return run(options)


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="logship", description=_DESCRIPTION, epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the agent (or the loader) until SIGTERM")
    validate = commands.add_parser(
        "validate", help="check a configuration file (or the one in a manifest), without any I/O"
    )
    for command in (run, validate):
        command.add_argument(
            "-c", "--config", required=True, metavar="FILE", help="the configuration, in YAML"
        )
    _add_checks(commands, words)
    about = "show, forget, import or export saved positions"
    positions = commands.add_parser("positions", help=about)
    if words[:1] == ["positions"]:
        importlib.import_module("logship.cli.positions").add_arguments(positions)
    deadletters = commands.add_parser("deadletters", help="list, show or replay refused rows")
    if words[:1] == ["deadletters"]:
        importlib.import_module("logship.cli.deadletters").add_arguments(deadletters)
    commands.add_parser("plugins", help="list the sources, transforms and sinks installed here")
    commands.add_parser("version", help="print the version, and which row kernel is in use")
    commands.add_parser(
        "sandbox", help="serve Cloud Logging, Pub/Sub and BigQuery on loopback, for trying out"
    )
    commands.add_parser("demo", help="show everything at work on this machine, with proof")
    return parser


def _add_checks(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", words: Sequence[str]
) -> None:
    helps = {
        "test": "test what a configuration does with given lines, without any network",
        "check": "check that a configuration works on this machine and with Google",
    }
    for name, text in helps.items():
        command = commands.add_parser(name, help=text)
        if words[:1] == [name]:
            importlib.import_module(f"logship.cli.{name}").add_arguments(command)


def _run_sandbox(command: str, words: Sequence[str]) -> int:
    """The sandbox is a package of its own, which the agent never imports."""
    module = {"sandbox": "logship_sandbox.command", "demo": "logship_sandbox.demo"}[command]
    try:
        run: Callable[[Sequence[str]], int] = importlib.import_module(module).run
    except ModuleNotFoundError as error:
        print(
            f"logship {command} needs the package {error.name}: pip install 'logship[sandbox]'",
            file=sys.stderr,
        )
        return 1
    return run(words)
