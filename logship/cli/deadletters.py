"""`logship deadletters`: what sinks refused for good: list it, look at it, send it again.

All of it works beside a running agent. `ls` shows no texts, since they may hold what not everybody
should see; what is printed is bounded, and holds nothing that a terminal would obey.
"""

import argparse
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from logship.cli.configuration import Written, read
from logship.cli.table import shown, table
from logship.delivery.letter import Letter
from logship.delivery.letter_files import LetterFiles, Stored
from logship.world import Clock, Disk, Offload, World

_LS_ROWS, _SHOW_ROWS = 50, 10
_REASON_CHARS, _TEXT_CHARS = 80, 2000
_MAX_GROUPS = 20

Replay = Callable[[Written, LetterFiles, "Filter", bool, World], int]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; None: all."""

    sink: str | None
    route: str | None
    ids: frozenset[str] = frozenset()

    def takes(self, letter: Letter) -> bool:
        return (
            self.sink in (None, letter.sink)
            and self.route in (None, letter.route)
            and (not self.ids or letter.id in self.ids)
        )


def add_arguments(command: argparse.ArgumentParser) -> None:
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    ls = actions.add_parser("ls", help="list dead letters, the oldest first, and count them")
    show = actions.add_parser("show", help="print dead letters with their texts, as JSON")
    replay = actions.add_parser(
        "replay",
        help="send dead letters again; an agent may run meanwhile",
        description="Sends dead letters through their sinks again, under the ids they had, and "
        "takes those out of the files that were delivered. What is refused again stays. Without "
        "--yes it only says what it would send.",
    )
    for action in (ls, show, replay):
        action.add_argument(
            "-c", "--config", required=True, metavar="FILE", help="the agent's configuration"
        )
        action.add_argument("--sink", metavar="NAME", help="only those of this sink")
        action.add_argument("--route", metavar="NAME", help="only those of this route")
    for action, rows in ((ls, _LS_ROWS), (show, _SHOW_ROWS)):
        action.add_argument(
            "--limit", type=_count, default=rows, metavar="N", help=f"at most so many ({rows})"
        )
    for action in (show, replay):
        action.add_argument("id", nargs="*", metavar="ID", help="only these rows")
    show.add_argument("--full", action="store_true", help="do not shorten texts")
    replay.add_argument("--yes", action="store_true", help="do it")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def run(options: argparse.Namespace) -> int:
    written = read(options.config)
    if written is None:
        return 2
    wanted = Filter(options.sink, options.route, frozenset(getattr(options, "id", ())))
    offload = Offload()
    world = World(Clock(), Disk(offload), offload)
    files = LetterFiles(written.config.dead_letters_dir, world.disk)
    try:
        if options.action == "replay":
            replay: Replay = importlib.import_module("logship.cli.replay").replay
            return replay(written, files, wanted, options.yes, world)
        if options.action == "ls":
            return _ls(files, wanted, options.limit)
        return _show(files, wanted, options.limit, options.full)
    except OSError as error:
        print(f"{files.directory}: {error.strerror or error}", file=sys.stderr)
        return 1
    finally:
        offload.close()


def chosen(files: LetterFiles, wanted: Filter) -> Iterator[Stored]:
    """All that the filter takes, the oldest first."""
    return (stored for stored in files.each() if wanted.takes(stored.letter))


def tell_damaged(files: LetterFiles) -> None:
    if files.damaged:
        print(
            f"{files.directory}: {files.damaged} damaged lines are left out and left alone",
            file=sys.stderr,
        )


def _ls(files: LetterFiles, wanted: Filter, limit: int) -> int:
    first: list[Letter] = []
    groups: Counter[tuple[str, str]] = Counter()
    for letter, _ in chosen(files, wanted):
        groups[letter.sink, letter.route] += 1
        if len(first) < limit:
            first.append(letter)
    tell_damaged(files)
    if not first:
        print(f"No dead letters in {shown(files.directory)}")
        return 0
    rows = [(x.id, x.time, x.route, x.sink, x.reason[:_REASON_CHARS]) for x in first]
    print(table(("ID", "TIME", "ROUTE", "SINK", "REASON"), rows))
    print(f"{len(first)} of {groups.total()} are shown.")
    print(counted(groups))
    return 0


def counted(groups: Counter[tuple[str, str]]) -> str:
    """How many of each sink and route, a line each."""
    lines = [
        f"  sink {shown(sink)}, route {shown(route)}: {count}"
        for (sink, route), count in groups.most_common(_MAX_GROUPS)
    ]
    if len(groups) > _MAX_GROUPS:
        lines.append(f"  and {len(groups) - _MAX_GROUPS} other pairs of sink and route")
    return "\n".join(lines)


def _show(files: LetterFiles, wanted: Filter, limit: int, full: bool) -> int:
    missing, more = set(wanted.ids), 0
    for number, (letter, _) in enumerate(chosen(files, wanted)):
        missing.discard(letter.id)
        if number < limit:
            print(_shown_letter(letter, full))
        else:
            more += 1
    tell_damaged(files)
    if more:
        print(f"{more} more are not shown: --limit {limit + more}", file=sys.stderr)
    return _tell_missing(sorted(missing))


def _tell_missing(ids: Sequence[str]) -> int:
    for row_id in ids[:_MAX_GROUPS]:
        print(f"no dead letter has the id {shown(row_id)}", file=sys.stderr)
    return 1 if ids else 0


def _shown_letter(letter: Letter, full: bool) -> str:
    listed = {name: getattr(letter, name) for name in letter.__struct_fields__}
    listed["fields"] = orjson.Fragment(bytes(letter.fields))
    if not full and (cut := len(letter.text) - _TEXT_CHARS) > 0:
        listed["text"] = f"{letter.text[:_TEXT_CHARS]}... ({cut} more characters: --full)"
        listed["fields"] = None
    text = orjson.dumps(listed, option=orjson.OPT_INDENT_2).decode()
    return "\n".join(map(shown, text.split("\n")))
