"""The plots of docs/benchmarks.md. matplotlib comes with the extra `bench`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.page import Results
from bench.peers.known import ELSEWHERE

_OURS, _PURE, _PEER, _ELSEWHERE = "#1f5fbf", "#8fb3e6", "#e08a2e", "#b8b8b8"
_DPI = 120
_MAIN = (
    ("A", "null", "Access lines: rows found, nothing sent"),
    ("A", "cloud_logging", "Access lines: to Cloud Logging (orange: to HTTP or TCP)"),
    ("B", "cloud_logging_text", "JSON application logs, left as text: to Cloud Logging"),
    ("B", "cloud_logging", "JSON application logs, parsed: to Cloud Logging"),
    ("B-plain", "cloud_logging", "The same without any special field (others: with them)"),
)
_OF_PEER = {
    ("A", "null"): "null",
    ("A", "cloud_logging"): "lines",
    ("B", "cloud_logging_text"): "lines",
    ("B", "cloud_logging"): "parsed",
}
Bar = tuple[str, float, str, bool]
"""(label, MB per CPU-second, colour, whether it was measured elsewhere)"""


def draw(found: Results, directory: Path) -> None:
    """throughput.png, files.png, memory.png, stages.png."""
    import matplotlib as mpl  # type: ignore[import-not-found,unused-ignore]

    mpl.use("Agg")
    mpl.rcParams.update(
        {
            "axes.spines.top": False,
            "axes.spines.right": False,
            "font.size": 9,
            "axes.axisbelow": True,
        }
    )
    from matplotlib import pyplot  # type: ignore[import-not-found,unused-ignore]

    for name, plot in _PLOTS.items():
        figure = plot(pyplot, found)
        figure.savefig(directory / f"{name}.png", dpi=_DPI, bbox_inches="tight")
        pyplot.close(figure)


def _throughput(pyplot: Any, found: Results) -> Any:
    """Panels of the same work side by side, bars from fast to slow."""
    panels = [(title, _bars(found, workload, path)) for workload, path, title in _MAIN]
    heights = [max(len(bars), 1) + 1.5 for _, bars in panels]
    figure, axes = pyplot.subplots(
        len(panels), 1, figsize=(8.5, 0.3 * sum(heights)), height_ratios=heights,
        sharex=True, layout="constrained",
    )  # fmt: skip
    for axis, (title, bars) in zip(axes, panels, strict=True):
        for place, (_, speed, colour, elsewhere) in enumerate(bars):
            hatch = "///" if elsewhere else None
            axis.barh(place, speed, color=colour, hatch=hatch, edgecolor="white", height=0.75)
            axis.text(speed, place, f" {speed:.0f}", va="center")
        axis.set_yticks(range(len(bars)), [label for label, *_ in bars])
        axis.invert_yaxis()
        axis.set_title(title, loc="left", weight="bold", fontsize=9)
        axis.grid(axis="x", alpha=0.3)
        axis.margins(x=0.1)
    axes[-1].set_xlabel("MB of log per CPU-second, whole process (more is better)")
    figure.suptitle("Throughput. Blue and orange: this run. Grey, hatched: measured elsewhere")
    return figure


def _bars(found: Results, workload: str, path: str) -> Sequence[Bar]:
    """From fast to slow."""
    bars: list[Bar] = []
    for row in found.rows:
        if row.workload != workload or row.files != 20:
            continue
        if row.agent == "logship" and row.path == path:
            colour = _PURE if row.kernel == "pure" else _OURS
            bars.append((f"logship ({row.kernel})", row.mb_per_cpu_s, colour, False))
        elif row.agent != "logship" and row.path == _OF_PEER.get((workload, path)):
            bars.append((row.agent, row.mb_per_cpu_s, _PEER, False))
    here = {row.agent for row in found.rows}
    for one in ELSEWHERE:
        fits = (one.workload, one.path) == (workload.removesuffix("-plain"), path)
        if fits and one.agent.partition(" ")[0] not in here:
            silent = path != "null" and one.what.endswith("-> null")
            label = one.agent + ", nothing sent" * silent
            bars.append((label, one.mb_per_cpu_s, _ELSEWHERE, True))
    return sorted(bars, key=lambda bar: -bar[1])


def _files(pyplot: Any, found: Results) -> Any:
    figure, axis = pyplot.subplots(figsize=(8, 3.6))
    for path, points in found.files.items():
        counts, costs = [count for count, _ in points], [ns for _, ns in points]
        axis.plot(counts, costs, marker="o", label=path)
        for count, cost in points:
            axis.annotate(f"{cost:.0f}", (count, cost), (0, 6), textcoords="offset points")
    axis.set_xscale("log")
    axis.margins(x=0.08)
    counts = [count for count, _ in next(iter(found.files.values()), [])]
    axis.set_xticks(counts, [f"{count:,}" for count in counts])
    axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel("files, the same bytes in all")
    axis.set_ylabel("CPU-ns a row")
    axis.set_title("Cost of a row by number of files (start included)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    return figure


def _memory(pyplot: Any, found: Results) -> Any:
    figure, axis = pyplot.subplots(figsize=(8, 3.6))
    paths = sorted({name.split(",")[0] for name in found.rss})
    colours = {path: f"C{number}" for number, path in enumerate(paths)}
    sizes = sorted({int(name.split(" ")[-2]) for name in found.rss})
    for name, points in found.rss.items():
        style = "--" if f" {sizes[0]} MB" in name and len(sizes) > 1 else "-"
        times, held = [at for at, _ in points], [mb for _, mb in points]
        axis.plot(times, held, style, color=colours[name.split(",")[0]], label=name, linewidth=1.2)
    axis.axhline(110, color="grey", linewidth=0.8, linestyle=":")
    axis.text(0, 111, "goal: 110 MB", color="grey", va="bottom")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("seconds since the start")
    axis.set_ylabel("resident memory, MB")
    axis.set_title("Resident memory over time (dashed: a quarter of the log)")
    axis.grid(alpha=0.3)
    axis.legend(frameon=False, fontsize=7, ncols=2, loc="lower right")
    return figure


def _stages(pyplot: Any, found: Results) -> Any:
    figure, axis = pyplot.subplots(figsize=(8, 4.2))
    stages = list(found.micro)
    kinds = list(next(iter(found.micro.values()), {}))
    height = 0.8 / max(len(kinds), 1)
    for number, kind in enumerate(kinds):
        places = [place + number * height for place in range(len(stages))]
        values = [found.micro[stage][kind] for stage in stages]
        colour = _PURE if kind == "pure" else _OURS
        axis.barh(places, values, height=height, color=colour, label=kind)
        for place, value in zip(places, values, strict=True):
            axis.text(value, place, f" {value:.0f}", va="center", fontsize=7)
    axis.set_yticks([place + 0.2 for place in range(len(stages))], stages)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlabel("ns a row (log scale; less is better)")
    axis.set_title("Cost of the stages, one thread")
    axis.legend(frameon=False)
    return figure


_PLOTS: Mapping[str, Callable[[Any, Results], Any]] = {
    "throughput": _throughput,
    "files": _files,
    "memory": _memory,
    "stages": _stages,
}
