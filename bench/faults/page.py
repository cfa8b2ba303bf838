"""docs/faults.md out of results.json: what was measured, and how to read it."""

from collections.abc import Iterator

from bench.faults.found import Found, Results

_HEAD = """\
# Faults

Made by `python -m bench faults --write docs`; do not edit. What a real agent does when a
destination or a disk fails, measured: agent, two destinations and a writer are processes of their
own over loopback on one machine. What to do about a fault is in [operations](operations.md#faults).

{cpu}, {cores} cores, {memory_gb} GB; {system}, Linux {linux}; Python {python}; logship {logship}
({commit}, row kernel {kernel}); load average at the end {load_average}. All processes share these
cores, so that delays and speeds are those of a busy node; what else the machine does shows most in
`catch_up_share`, two speeds that are measured minutes apart.

Five loud containers write 8.3 MB/s in all (500 MB a minute, lines of 201 bytes), ten quiet ones ten
lines a second each. A kubelet looks every 10 s, compresses and renames what has reached 10 MiB, and
keeps 50 files. Two routes read all of it, each with a destination of its own; only one fails, but
for `storm`, where there is only that one. Options are the defaults where nothing else is said:
`memory.max_bytes` is 64 MiB (67.1 MB).

| Scenario | RSS before, MB | Peak, MB | At most, MB | Lost | Twice | Bounds |
|---|--:|--:|--:|--:|--:|---|
{table}

* **RSS before** is that of the agent when it ships quiet logs only; **at most** is this and
  `memory.max_bytes`. The peak is the kernel's (`VmHWM`), from the beginning of the fault on.
* **Lost** is what was written and never arrived, over both routes: each line has a number, each row
  an id. **Twice** are copies at the destination that failed: they have the same id.
* **Unread** in the plots is the log on disk that waits: it is the queue, and costs no memory.
* **Delays** of loud logs come from rotation: lines of a new file wait until the old one has been
  quiet for a second. Those of quiet logs come from how often such files are looked at.
* **Storms** refuse at random, whatever is sent: a hard case for an agent that takes each 429 as a
  sign to send less, and obeys each Retry-After. A quota refuses only what is beyond it.
"""

_MEANINGS = {
    "backlog_mb": "not taken when the fault ended",
    "resumed_after_secs": "from the end of the fault to the first request that is taken",
    "catch_up_mb_per_s": "wall clock, from then until the backlog is taken",
    "calibration_mb_per_s": "the same path without a fault, a backlog, before and after: the mean",
    "other_loud_p99_before_secs": "write to arrival at the other destination, in the run-up",
    "other_quiet_p99_before_secs": "the same of quiet logs",
    "released_rows": "given back to the log, to be read again",
    "losses_told": "`lost_events` of `/status`",
    "mb_per_s": "taken while the storm goes on, with a backlog all the time",
    "flowing_share": "of what was written while the disk was full, taken in that time",
    "letters_meanwhile": "dead letters written while the disk was full",
    "letters_missing": "refused rows that are in no dead letter at the end",
    "lines_on_positions": "`cannot save positions` in the log",
    "lines_on_letters": "`... waits: ...` in the log",
}


def text(results: Results) -> str:
    """The whole page."""
    head = _HEAD.format(table="\n".join(map(_row, results.scenarios)), **results.machine)
    return "\n".join([head, *map(_section, results.scenarios)]).rstrip() + "\n"


def _row(one: Found) -> str:
    link = f"[`{one.name}`](#{one.name})"
    if one.skipped:
        return f"| {link} | | | | | | not measured: {one.skipped} |"
    figures = one.figures
    broken = ", ".join(f"`{name}`" for name in one.broken)
    said = f"not kept: {broken}" if broken else "all hold"
    return (
        f"| {link} | {figures['base_rss_mb']:.0f} | {figures['peak_rss_mb']:.0f} |"
        f" {one.limit_mb:.0f} | {figures['lost']:g} | {figures['doubled']:g} | {said} |"
    )


def _section(one: Found) -> str:
    if one.skipped:
        return f"## {one.name}\n\nNot measured: {one.skipped}.\n"
    what = one.what[0].upper() + one.what[1:]
    return (
        f"## {one.name}\n\n{what}.\n\n![{one.name}](faults/{one.name}.png)\n\n"
        "| Figure | | Wanted | |\n|---|--:|--:|---|\n" + "\n".join(_figures(one)) + "\n"
    )


def _figures(one: Found) -> Iterator[str]:
    for name, value in one.figures.items():
        number = f"{value:,.0f}" if value == int(value) else f"{value:,g}"
        shown = f"**{number}**" if name in one.broken else number
        yield f"| `{name}` | {shown} | {one.wanted(name)} | {_MEANINGS.get(name, '')} |"
