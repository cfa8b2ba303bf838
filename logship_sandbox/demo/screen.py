"""The demo on a screen: a live table on a terminal, plain lines elsewhere (a pipe, CI).

What happened is printed and stays; how things are now is drawn again and again below it.
"""

from collections import deque
from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from logship_sandbox.demo.progress import Sample, Worker, arrival_rate

PLAIN_SECS = 3.0
_PLAIN_WIDTH = 100
_RATE_SAMPLES = 12


class Screen:
    def __init__(self, console: Console | None = None) -> None:
        self.console = console or new_console()
        self._began = monotonic()
        self._samples: deque[Sample] = deque(maxlen=_RATE_SAMPLES)
        self._printed_at = 0.0
        self._live: Live | None = None

    @property
    def secs(self) -> float:
        return monotonic() - self._began

    def __enter__(self) -> "Screen":
        if self.console.is_terminal:
            self._live = Live(
                console=self.console, transient=True, auto_refresh=False, redirect_stderr=False
            )
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def event(self, text: str, style: str = "") -> None:
        """Something happened."""
        line = Text(f"{self.secs:6.1f} s  ", style="dim")
        line.append(text, style=style or "default")
        self.console.print(line, soft_wrap=True)

    def show(self, sample: Sample) -> None:
        """How things are now."""
        before = self._samples[0] if self._samples else None
        self._samples.append(sample)
        if self._live is not None:
            self._live.update(_table(sample, before), refresh=True)
        elif sample.secs - self._printed_at >= PLAIN_SECS:
            self._printed_at = sample.secs
            self.event(_line(sample, before))


def new_console() -> Console:
    """rich takes 80 columns where there is no terminal; our tables need a few more."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def _line(sample: Sample, before: Sample | None) -> str:
    parts = [f"written {sum(sample.written.values()):,}"]
    for place, arrived in sample.arrived.items():
        parts.append(f"{place} {arrived:,} ({arrival_rate(sample, before, place):,.0f}/s)")
    return " | ".join([*parts, _worker(sample.workers[0])])


def _worker(worker: Worker) -> str:
    status = worker.status
    if worker.pid is None or status is None:
        return f"{worker.name} down"
    memory = "" if worker.rss_bytes is None else f" {size(worker.rss_bytes)},"
    behind = size(status.waiting_bytes)
    return f"{worker.name}{memory} {behind} behind, {status.in_flight} in flight"


def _table(sample: Sample, before: Sample | None) -> Table:
    table = Table.grid(expand=False)
    table.add_row(_places(sample, before))
    table.add_row(_workers(sample.workers))
    return table


def _places(sample: Sample, before: Sample | None) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 1), header_style="dim")
    for name in ("destination", "written", "arrived", "rows/s", "on their way"):
        table.add_column(name, justify="left" if name == "destination" else "right")
    for place, written in sample.written.items():
        arrived, speed = sample.arrived[place], arrival_rate(sample, before, place)
        table.add_row(
            Text(place, style="bold"), f"{written:,}", f"{arrived:,}", f"{speed:,.0f}",
            f"{max(0, written - arrived):,}",
        )  # fmt: skip
    return table


def _workers(workers: Sequence[Worker]) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 1), header_style="dim")
    for name in ("process", "pid", "memory", "not read yet", "held", "writes in flight"):
        table.add_column(name, justify="left" if name == "process" else "right")
    for worker in workers:
        status = worker.status
        if worker.pid is None or status is None:
            table.add_row(Text(worker.name, style="bold"), Text("down", style="bold red"))
            continue
        memory = "" if worker.rss_bytes is None else size(worker.rss_bytes)
        table.add_row(
            Text(worker.name, style="bold"), str(worker.pid), memory,
            size(status.waiting_bytes), size(status.held_bytes), str(status.in_flight),
        )  # fmt: skip
    return table


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"
