"""`logship sandbox`: starts it, says where it is, and stops it."""

import argparse
import asyncio
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from logship_sandbox.server import PROJECT, Options, Sandbox

_END_SECS = 2.0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="logship sandbox",
        description="Serve Cloud Logging, Pub/Sub and BigQuery on loopback until Ctrl-C. "
        "Prints the variables that point clients to them.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--logging-port", type=int, default=0, metavar="N", help="0: any free port")
    parser.add_argument("--pubsub-port", type=int, default=0, metavar="N")
    parser.add_argument("--bigquery-port", type=int, default=0, metavar="N", help="of its REST")
    parser.add_argument("--bigquery-grpc-port", type=int, default=0, metavar="N")
    parser.add_argument("--no-bigquery", dest="bigquery", action="store_false")
    parser.add_argument("--data-dir", metavar="DIR", help="keep BigQuery's tables here")
    parser.add_argument(
        "--discard", action="store_true", help="count log entries and their ids, keep none"
    )
    parser.add_argument(
        "--topic", dest="topics", action="append", default=[], metavar="NAME",
        help=f"make this topic, and a subscription of the same name, in project {PROJECT}",
    )  # fmt: skip
    parser.add_argument("--pubsub-max-bytes", type=int, default=1 << 30, metavar="N")
    parser.add_argument("--ready-file", metavar="PATH", help="write the variables here as JSON")
    return parser.parse_args(argv)


async def main(argv: Sequence[str]) -> int:
    """`logship sandbox`: exit code 0 after SIGINT or SIGTERM, 2 for options that cannot work."""
    arguments = vars(_arguments(argv))
    ready_file = arguments.pop("ready_file")
    try:
        arguments["topics"] = tuple(arguments["topics"])
        sandbox = Sandbox(Options(**arguments))
        await sandbox.start()
    except (ValueError, OSError) as error:
        print(f"logship sandbox: {error}", flush=True)
        return 2
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        _announce(sandbox.environment(), ready_file)
        await stop.wait()
    finally:
        await sandbox.close()
        await _others_ended()
    return 0


async def _others_ended() -> None:
    """gRPC's `stop` returns before the tasks of calls that it has ended are over (grpc/grpc#37239).
    The end of the loop would cancel them, which gRPC reports as an error, with a traceback."""
    if others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others, timeout=_END_SECS)


def _announce(variables: Mapping[str, str], ready_file: str | None) -> None:
    if ready_file:
        unfinished = Path(f"{ready_file}.tmp")
        unfinished.write_bytes(orjson.dumps(variables))
        os.replace(unfinished, ready_file)  # whoever waits for the file never sees half of it
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")
    print("# The sandbox is ready. Ctrl-C stops it.", flush=True)


def run(argv: Sequence[str]) -> int:
    """`main` with an event loop of its own."""
    return asyncio.run(main(argv))
