"""The page and its plots, made of results as a machine without any peer gives them."""

from pathlib import Path

import msgspec
import pytest

from bench import page

ROW = page.ResultRow(
    path="cloud_logging", workload="A", files=20, agent="logship", version="1", kernel="compiled",
    runs=3, mb=100.0, mb_per_cpu_s=600.0, mb_per_cpu_s_min=590.0, mb_per_cpu_s_max=610.0,
    rows_per_cpu_s=3_000_000, mb_per_s=300.0, peak_rss_mb=70.0, lost=0, doubled=0,
    share_of_limit=0.2, cpu_s=0.5, cpu_s_min=0.45, start_cpu_s=0.25,
)  # fmt: skip
PEER = msgspec.structs.replace(
    ROW, path="lines", agent="rsyslog", kernel="", mb_per_cpu_s=50.0, version="rsyslogd 8"
)
MACHINE: dict[str, str | int | float] = {
    "cpu": "a CPU", "cores": 2, "memory_gb": 8.0, "system": "Debian", "linux": "6.1",
    "python": "3.11", "logship": "1", "commit": "abc", "kernel": "compiled", "load_average": 0.5,
}  # fmt: skip
FOUND = page.Results(
    machine=MACHINE,
    limits={"A": {"read": 9000.0, "parse": 5000.0}},
    rows=[ROW, PEER],
    micro={"index": {"compiled": 30.0, "pure": 700.0}},
    files={"null": [(1, 500.0), (2000, 700.0)], "cloud_logging": [(1, 900.0), (2000, 1200.0)]},
    rss={"null, 25 MB": [(0.1, 30.0), (0.2, 50.0)], "null, 100 MB": [(0.1, 30.0), (0.3, 50.0)]},
    idle_rss_mb=42.0,
    missing=["fluent-bit: not installed"],
)


def test_the_page_has_the_machine_the_figures_and_the_ratio_to_a_peer() -> None:
    made = page.text(FOUND)
    assert "a CPU, 2 cores" in made
    assert "| `cloud_logging` | A | 20 | compiled | **600** | 590-610 | 3000 |" in made
    assert "logship `cloud_logging` is 12.0 x rsyslog `lines`" in made
    assert "- fluent-bit: not installed" in made


def test_figures_of_another_machine_stand_apart_and_are_called_so() -> None:
    here, _, elsewhere = page.text(FOUND).partition("**Measured elsewhere**")
    assert "fluentd 1.16.11" not in here
    assert "| fluent-bit 5.1.1 | A | -> Cloud Logging, no gzip | 55 | 600 | 10.9 x |" in elsewhere


def test_results_come_back_from_their_file_as_they_were() -> None:
    assert msgspec.json.decode(msgspec.json.encode(FOUND), type=page.Results) == FOUND


def test_every_plot_of_the_page_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from bench import plots

    plots.draw(FOUND, tmp_path)
    named = [part.split(")")[0] for part in page.text(FOUND).split("](benchmarks/")[1:]]
    assert len(named) == 4
    assert all((tmp_path / name).stat().st_size > 5000 for name in named)
