"""`logship check --roundtrip` against the sandbox: rows that come back, and rows that do not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugins.logship_gcp.checks.conftest import Check
from tests.plugins.logship_gcp.checks.examples import AGENT, LOADER, PROJECT, failed

ROUND_TRIP = "1,000 rows written: 0 lost, 0 doubled, p99 of the delay "


def test_a_table_into_which_rows_go_round(
    check: Check, trouble: Callable[..., None], tmp_path: Path
) -> None:
    """The round trip makes the table; then it can be looked at."""
    code, found = check(LOADER, "--roundtrip")
    assert code == 0, failed(found)
    level, reason, _ = found["sink table: round trip"]
    assert (level, reason[: len(ROUND_TRIP)]) == ("ok", ROUND_TRIP)
    table = f"sink table: table {PROJECT}.logs.app"
    assert check(LOADER)[1][table][:2] == ("ok", "writing is allowed")
    trouble({"denied": "bigquery.tables.updateData bigquery.jobs.create"})
    code, found = check(LOADER)
    assert (code, *found[table][:2]) == (1, "failed", "writing is not allowed")
    assert "GRANT `roles/bigquery.dataEditor` ON SCHEMA" in found[table][2]
    jobs = found[f"sink table: query jobs in project {PROJECT}"]
    assert jobs[0] == "warning"
    assert "\n" not in jobs[1]
    trouble({"denied": "bigquery.tables.get"})
    assert check(LOADER)[1][table][1].startswith("HTTP 403: Access Denied")


def test_entries_go_round_and_published_rows_through_the_loader(
    check: Check, tmp_path: Path
) -> None:
    alone = check(AGENT, "--roundtrip")[1]["sink topic: round trip"]
    assert alone == (
        "ok", "1,000 rows written; what is published cannot be read back",
        "name the configuration of the loader that runs: --loader FILE",
    )  # fmt: skip
    command = [sys.executable, "-m", "logship.cli", "run", "-c", str(LOADER)]
    loader = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        code, found = check(AGENT, "--roundtrip", "--loader", str(LOADER))
    finally:
        loader.send_signal(signal.SIGTERM)
        loader.wait(30)
    assert code == 0, failed(found)
    for sink in ("topic", "entries"):
        assert found[f"sink {sink}: round trip"][1].startswith(ROUND_TRIP)


def test_rows_that_do_not_come_back_are_told(
    check: Check, trouble: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logship.checking.roundtrip.TRIES", 1)
    trouble({"denied": "logging.logEntries.list"})
    code, found = check(AGENT, "--roundtrip")
    level, reason, _ = found["sink entries: round trip"]
    assert (code, level) == (1, "failed")
    assert reason.startswith("entries cannot be read back: HTTP 403")
    assert "grant roles/logging.viewer" in reason
