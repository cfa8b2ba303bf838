"""The account as a table, what is wrong in words, and the exit code."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from logship_sandbox.demo.account import Account, Row
from logship_sandbox.logging_time import format_time

_EXAMPLES = 5
_TEXT_CHARS = 160


def table(accounts: Sequence[Account]) -> Table:
    shown = Table(box=box.ROUNDED)
    shown.add_column("rows")
    for account in accounts:
        shown.add_column(account.place, justify="right")
    lines = (
        ("written by the containers", [a.written for a in accounts], False),
        ("delivered: found with the same text and time", [a.delivered for a in accounts], False),
        ("lost", [len(a.lost) for a in accounts], True),
        ("never written like that", [len(a.strange) for a in accounts], True),
        ("stored, copies included", [a.stored for a in accounts], False),
        ("copies before the dedup view", [a.copies for a in accounts], False),
        ("copies after it", [len(a.doubled) for a in accounts], True),
    )
    for name, values, must_be_zero in lines:
        shown.add_row(name, *(_number(value, must_be_zero) for value in values))
    return shown


def _number(value: int, must_be_zero: bool) -> Text:
    style = "" if not must_be_zero else "bold red" if value else "bold green"
    return Text(f"{value:,}", style=style)


def complaints(accounts: Sequence[Account]) -> list[str]:
    """One text for each thing that is wrong; empty when every row is where it should be."""
    found = []
    for account in accounts:
        kinds = (
            ("lost", account.lost),
            ("never written like that", account.strange),
            ("there more than once", account.doubled),
        )
        for kind, rows in kinds:
            if rows:
                examples = "".join(f"\n    {_shown(row)}" for row in rows[:_EXAMPLES])
                found.append(f"{account.place}: {len(rows):,} rows {kind}, such as{examples}")
    return found


def _shown(row: Row) -> str:
    text = row.text if len(row.text) <= _TEXT_CHARS else row.text[:_TEXT_CHARS] + "..."
    where = f"{row.namespace}/{row.pod}/{row.container}"
    return f"{where} {row.stream} {format_time(row.time_ns)} {text!r}"


def conclude(console: Console, accounts: Sequence[Account], troubles: Sequence[str]) -> int:
    """Print the end of the demo; its exit code."""
    wrong = [*complaints(accounts), *troubles]
    for complaint in wrong:
        console.print(Text(complaint, style="red"), soft_wrap=True)
    if wrong:
        console.print(Text("The demo FAILED.", style="bold red"))
        return 1
    rows = sum(account.written for account in accounts)
    said = f"Every one of {rows:,} rows arrived, each exactly once."
    console.print(Text(said, style="bold green"))
    return 0
