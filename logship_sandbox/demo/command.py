"""The command line of `logship demo`: options, Ctrl-C, the temporary directory, `--keep`."""

import argparse
import asyncio
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from logship_sandbox.demo.configs import PROJECT
from logship_sandbox.demo.director import perform
from logship_sandbox.demo.screen import Screen
from logship_sandbox.demo.stage import Stage, StageError

INTERRUPTED = 130
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_DESCRIPTION = """\
Writes the logs of a dozen pods as Kubernetes does, ships them with the real agent and the real
loader to a sandbox on this machine, kills the agent in the middle, and accounts for every row.
Exit code 0 when every row arrived exactly once, 1 when not.
"""
_HINT = """
The sandbox stays open; Ctrl-C ends it. Logs and configurations are in {directory}

{exports}

SQL, with Google's own client:

{python} - <<'EOF'
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
client = bigquery.Client("{project}", AnonymousCredentials())
sql = "SELECT severity, COUNT(*) AS events FROM `logs.app_dedup` GROUP BY severity"
for row in client.query_and_wait(sql):
    print(dict(row))
EOF

Cloud Logging:

curl -s $LOGSHIP_LOGGING_ENDPOINT/v2/entries:list -H 'Content-Type: application/json' \\
  -d '{{"resourceNames": ["projects/{project}"], "filter": "severity>=ERROR", "pageSize": 2}}'
"""


def run(argv: Sequence[str]) -> int:
    """The demo; its exit code."""
    options = _options(argv)
    directory = Path(tempfile.mkdtemp(prefix="logship-demo-"))
    screen = Screen()
    try:
        code = asyncio.run(_until_signal(options, directory, screen))
    except* StageError as errors:
        for error in errors.exceptions:
            print(f"logship demo: {error}", file=sys.stderr)
        code = 1
    except* (KeyboardInterrupt, asyncio.CancelledError):
        print("\nlogship demo: interrupted; everything it started has ended", file=sys.stderr)
        code = INTERRUPTED
    if code == 1:
        print(f"Logs, configurations and what was written are in {directory}", file=sys.stderr)
    else:
        shutil.rmtree(directory, ignore_errors=True)
    return code


async def _until_signal(options: argparse.Namespace, directory: Path, screen: Screen) -> int:
    show = asyncio.current_task()
    assert show is not None

    def cancel() -> None:
        if not show.cancelling():  # a second Ctrl-C does not disturb the cleaning up
            show.cancel()

    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, cancel)
    title = f"logship demo: {options.rate:,.0f} rows/s of 12 pods for {options.seconds:g} s"
    screen.console.print(f"{title}, seed {options.seed}\n", style="bold")
    keep = partial(_keep_open, screen.console) if options.keep else None
    return await perform(directory, screen, options, keep)


async def _keep_open(console: Console, stage: Stage) -> None:
    exports = "\n".join(
        f"export {name}={shlex.quote(value)}" for name, value in stage.variables.items()
    )
    hint = _HINT.format(
        directory=stage.directory, exports=exports, python=shlex.quote(sys.executable),
        project=PROJECT,
    )  # fmt: skip
    console.print(hint, soft_wrap=True, markup=False)
    stop = asyncio.Event()
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="logship demo",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--seconds", type=_positive, default=40.0, metavar="N", help="how long is written (40)"
    )
    parser.add_argument(
        "--rate", type=_positive, default=5000.0, metavar="N", help="rows a second (5000)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="decides all that is written (1)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the sandbox open afterwards, to be queried"
    )
    return parser.parse_args(argv)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
