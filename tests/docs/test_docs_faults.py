"""The table of faults names what the code has, and the tables of outages are worked out."""

import re

import msgspec
import pytest

from bench.faults import page
from bench.faults.found import Results
from logship.config.schema import HeldConfig
from logship.tail.loss import Reason
from tests.docs.command import REPOSITORY
from tests.docs.test_docs_pages import OPERATIONS, section, source_code

DOCS = REPOSITORY / "docs"
METRICS = (REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
ROWS = [
    line.strip("| ").split(" | ")
    for line in section(OPERATIONS, "Faults").splitlines()
    if line.startswith("| ") and "---" not in line
][1:]
NAMES = [row[0] for row in ROWS]
OUTAGES = section(OPERATIONS, "How long an outage may last")
TABLES = re.findall(r"^\|.*\n\|[-:|]+\n((?:\|.*\n)+)", OUTAGES, re.M)
KEPT_BYTES = 10 << 20
RATES = (1e6, 5e6, 10e6)
WANTED = (
    "down", "hangs", "slow", "429", "401", "400", "413", "state_dir", "Dead letters", "held",
    "Kubernetes API", "Metadata server", "descriptors", "inotify", "cannot be read", "format",
    "clock", "torn", "foreign", "SIGKILL", "reboots", "subscription", "BigQuery",
)  # fmt: skip


@pytest.mark.parametrize("fault", WANTED)
def test_the_table_has_a_line_for_each_fault(fault: str) -> None:
    assert [name for name in NAMES if fault in name]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_a_line_of_the_table_is_complete(row: list[str]) -> None:
    assert len(row) == 4
    assert all(row)


def seen(kind: str) -> list[tuple[str, str]]:
    """(fault, name) of what stands after this word in the third column."""
    found = []
    for fault, _, what, *_ in ROWS:
        for part in what.split("<br>"):
            if part.startswith(kind):
                found += [(fault, name) for name in re.findall(r"`([^`]+)`", part)]
    return found


@pytest.mark.parametrize(("fault", "line"), seen("Log"))
def test_a_log_line_in_the_table_is_one_that_the_agent_writes(fault: str, line: str) -> None:
    pieces = [piece.strip(" .") for piece in line.split("…")]
    assert all(piece in source_code() for piece in pieces if len(piece) > 3), fault


@pytest.mark.parametrize(("fault", "name"), seen("Metrics"))
def test_a_metric_in_the_table_is_one_of_the_agents(fault: str, name: str) -> None:
    assert f"| `{name}` |" in METRICS, fault


@pytest.mark.parametrize(("fault", "name"), seen("`/status`"))
def test_a_field_in_the_table_is_one_of_status(fault: str, name: str) -> None:
    """The sections on them are held against the code by other tests."""
    known = section(OPERATIONS, "`/status`") + section(OPERATIONS, "Lag and rotation risk")
    reasons = {reason.value for reason in Reason}
    assert f"`{name}`" in known or name in {"/status", *reasons}, fault


def secs_of(cell: str) -> float:
    number, unit = cell.split()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


def cells(table: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in table.splitlines()]


def test_the_outages_of_a_running_agent_are_worked_out() -> None:
    rows = cells(TABLES[0])
    assert f"{HeldConfig().max_bytes >> 30} GiB" == rows[0][1]
    for containers, held, *outages in rows:
        kept = (int(held.split()[0]) << 30) + int(containers) * KEPT_BYTES
        for rate, outage in zip(RATES, outages, strict=True):
            assert secs_of(outage) == pytest.approx(kept / rate, rel=0.03)


def test_the_outages_of_an_agent_that_does_not_run_are_worked_out() -> None:
    for containers, *outages in cells(TABLES[1]):
        kept = int(containers) * 4 * KEPT_BYTES
        for rate, outage in zip(RATES, outages, strict=True):
            assert secs_of(outage) == pytest.approx(kept / rate, rel=0.03)


def test_the_page_of_measurements_is_that_of_its_results() -> None:
    """To be made again: python -m bench faults --write docs --only; figures are in the file."""
    results = msgspec.json.decode((DOCS / "faults" / "results.json").read_bytes(), type=Results)
    assert (DOCS / "faults.md").read_text(encoding="utf-8") == page.text(results)
    for one in results.scenarios:
        plot = DOCS / "faults" / f"{one.name}.png"
        assert one.skipped or plot.stat().st_size < 60_000
