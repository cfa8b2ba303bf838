"""A plot of each scenario: resident memory, and bytes in flight. matplotlib: extra `bench`."""

from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.faults.found import Found, Results

_RSS, _FAULTY, _OTHER, _UNREAD, _FAULT = "#1f5fbf", "#c0392b", "#2e8b57", "#999999", "#f6d5d1"
_DPI = 80


def draw(results: Results, directory: Path) -> None:
    """`<scenario>.png` each."""
    import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]

    mpl.use("Agg")
    mpl.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9})
    from matplotlib import pyplot  # type: ignore[import-not-found,unused-ignore]

    for one in results.scenarios:
        if one.samples:
            figure = _figure(pyplot, one)
            figure.savefig(directory / f"{one.name}.png", dpi=_DPI, bbox_inches="tight")
            pyplot.close(figure)


def _figure(pyplot: Any, one: Found) -> Any:
    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(8, 5), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    times = [sample.at for sample in one.samples]
    above.plot(times, [sample.rss_mb for sample in one.samples], color=_RSS, linewidth=1.2)
    above.axhline(one.limit_mb, color="grey", linewidth=0.8, linestyle=":")
    above.text(0, one.limit_mb, "base + memory.max_bytes", color="grey", va="bottom")
    above.set_ylim(0, one.limit_mb * 1.15)
    above.set_ylabel("resident memory, MB")
    above.set_title(f"{one.name}: {one.what}", fontsize=9, loc="left", wrap=True)
    held = [sample.held_mb for sample in one.samples]
    below.plot(times, held, color=_FAULTY, linewidth=1.2, label="in flight, this route")
    if any(sample.other_held_mb for sample in one.samples):
        others = [sample.other_held_mb for sample in one.samples]
        below.plot(times, others, color=_OTHER, linewidth=1.0, label="in flight, other route")
    below.set_ylabel("MB charged")
    below.set_xlabel("seconds")
    unread = below.twinx()
    unread.plot(
        times, [sample.unread_mb for sample in one.samples], color=_UNREAD, linewidth=1.0,
        linestyle="--",
    )  # fmt: skip
    unread.set_ylabel("MB unread (dashed)", color=_UNREAD)
    unread.set_ylim(bottom=0)
    below.set_ylim(bottom=0)
    for axis in (above, below):
        _shade(axis, one)
    below.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _shade(axis: Any, one: Found) -> None:
    """The time of the fault."""
    for (began, phase), (ended, _) in pairwise(one.marks):
        if phase == "fault":
            axis.axvspan(began, ended, color=_FAULT, zorder=0)
