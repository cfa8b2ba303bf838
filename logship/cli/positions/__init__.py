"""`logship positions`: the saved positions, to look at, to mend by hand, to exchange with others.

`show` and `export` only read them; `forget` and `import` take the agent's own lock for as long as
they work, so that no agent saves over it, and write the file anew as the agent does: after a crash
it is the old one or the new one. What would change something only says so without --yes.
"""

import argparse
import importlib
import sys
from typing import Protocol

from logship.cli.positions.saved import Unusable
from logship.config import DEFAULT_STATE_DIR
from logship.world import Clock, Disk, Offload, World


class Action(Protocol):
    def run(self, world: World, options: argparse.Namespace) -> int: ...


_MODULES = {
    "show": "showing", "forget": "forgetting", "import": "importing", "export": "exporting",
}  # fmt: skip


def add_arguments(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the saved positions, also while an agent runs")
    forget = actions.add_parser(
        "forget",
        help="forget positions; no agent may run on the state directory",
        description="Forgets positions. The next agent reads these logs again, from the first "
        "byte that is still on the disk; rows keep their ids. Without --yes it only says what it "
        "would forget.",
    )
    for action in (show, forget):
        place = action.add_mutually_exclusive_group()
        place.add_argument("-c", "--config", metavar="FILE", help="take state_dir from this file")
        place.add_argument("--state-dir", metavar="DIR", help=f"default: {DEFAULT_STATE_DIR}")
    show.add_argument("--route", metavar="NAME", help="only of this route")
    show.add_argument("--origin", metavar="GLOB", default="*", help="only of these origins")
    show.add_argument("--json", action="store_true", help="print JSON")
    forget.add_argument("--route", metavar="NAME", required=True)
    forget.add_argument("--origin", metavar="GLOB", required=True, help="`*` matches `/` too")
    forget.add_argument("--yes", action="store_true", help="do it")
    _add_import(actions.add_parser(
        "import",
        help="begin where fluentd or Fluent Bit stands in its logs",
        description="Takes over where another agent stands, so that logship goes on from there. "
        "Stop that agent first, and let it deliver what it has buffered. Says of each log where it "
        "will begin, and why; without --yes that is all.",
    ))  # fmt: skip
    _add_export(actions.add_parser(
        "export",
        help="write where logship stands for fluentd or Fluent Bit to go on from",
        description="Writes where logship stands into the file of another agent, so that it goes "
        "on from there. Stop logship first. Without --yes it only says what it would write.",
    ))  # fmt: skip


def _add_import(command: argparse.ArgumentParser) -> None:
    _add_common(command)
    other = command.add_mutually_exclusive_group(required=True)
    other.add_argument("--fluentd", metavar="POS_FILE", action="append", help="a `pos_file`")
    other.add_argument("--fluent-bit", metavar="DB", action="append", help="a `DB` of its tail")
    command.add_argument(
        "--replace", action="store_true", help="also where logship has a position already"
    )
    command.add_argument(
        "--if-newer", action="store_true",
        help="only if the other agent has written since logship saved last, then as --replace;"
        " else end successfully (for an init container)",
    )  # fmt: skip


def _add_export(command: argparse.ArgumentParser) -> None:
    _add_common(command)
    other = command.add_mutually_exclusive_group(required=True)
    other.add_argument("--fluentd", metavar="POS_FILE", help="its `pos_file`; others' lines stay")
    other.add_argument("--fluent-bit", metavar="DB", help="the `DB` of its tail; others' rows stay")
    command.add_argument(
        "--links", metavar="DIR", default="/var/log/containers",
        help="name logs by the links to them here, as the other agent's `path` does; default: "
        "%(default)s, as far as it has any",
    )  # fmt: skip
    command.add_argument(
        "--if-newer", action="store_true",
        help="only if logship has saved since the other agent wrote last; else end successfully"
        " (for an init container)",
    )  # fmt: skip


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-c", "--config", metavar="FILE", required=True, help="the configuration, in YAML"
    )
    command.add_argument(
        "--route", metavar="NAME", action="append", help="only this route; may be repeated"
    )
    command.add_argument("--yes", action="store_true", help="do it")


def run(options: argparse.Namespace) -> int:
    offload = Offload()
    module = importlib.import_module(f"logship.cli.positions.{_MODULES[options.action]}")
    action: Action = module
    try:
        return action.run(World(Clock(), Disk(offload), offload), options)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        offload.close()
