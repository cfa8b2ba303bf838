"""The demo's account finds every kind of fault, and its verdict is exit code 1 then."""

import io
from pathlib import Path

from rich.console import Console

from logship_sandbox.demo.account import (
    BIGQUERY,
    CLOUD_LOGGING,
    Account,
    Delivery,
    Row,
    account,
    written_rows,
)
from logship_sandbox.demo.verdict import conclude
from logship_sandbox.demo.writer import PodLog
from logship_sandbox.demo.writer_files import PodName


def row(number: int, text: str = "") -> Row:
    return Row("shop", "cart-0", "app", "stdout", number, text or f"row {number}")


WRITTEN = [row(number) for number in range(10)]


def concluded(found: Account) -> tuple[int, str]:
    printed = io.StringIO()
    code = conclude(Console(file=printed, width=200), [found], [])
    return code, printed.getvalue()


def test_everything_there_once_is_balanced() -> None:
    found = account("there", WRITTEN, Delivery(10, WRITTEN))
    assert (len(found.lost), len(found.strange), len(found.doubled)) == (0, 0, 0)
    code, printed = concluded(found)
    assert code == 0
    assert "Every one of 10 rows" in printed


def test_a_missing_row_fails_the_demo_and_is_named() -> None:
    found = account("there", WRITTEN, Delivery(9, WRITTEN[:3] + WRITTEN[4:]))
    assert (found.delivered, list(found.lost)) == (9, [row(3)])
    code, printed = concluded(found)
    assert code == 1
    assert "1 rows lost" in printed
    assert "'row 3'" in printed


def test_a_changed_text_is_lost_and_strange_though_the_count_agrees() -> None:
    found = account("there", WRITTEN, Delivery(10, [*WRITTEN[1:], row(0, "another")]))
    assert (list(found.lost), list(found.strange)) == ([row(0)], [row(0, "another")])
    assert concluded(found)[0] == 1


def test_a_changed_time_is_lost_and_strange() -> None:
    found = account("there", WRITTEN, Delivery(10, [*WRITTEN[1:], row(99, "row 0")]))
    assert concluded(found)[0] == 1


def test_a_copy_after_the_dedup_fails_the_demo() -> None:
    found = account("there", WRITTEN, Delivery(11, [*WRITTEN, row(5)]))
    assert list(found.doubled) == [row(5)]
    assert concluded(found)[0] == 1


def test_a_copy_before_the_dedup_is_counted_and_harmless() -> None:
    found = account("there", WRITTEN, Delivery(14, WRITTEN))
    assert found.copies == 4
    assert concluded(found)[0] == 0


def test_trouble_of_the_agent_fails_the_demo_though_all_is_there() -> None:
    found = account("there", WRITTEN, Delivery(10, WRITTEN))
    assert conclude(Console(file=io.StringIO()), [found], ["the agent ended with code 1"]) == 1


def test_written_rows_go_where_the_route_says(tmp_path: Path) -> None:
    log = PodLog(str(tmp_path), PodName("shop", "cart-0", "u"), "app")
    texts = [
        '{"log_type":"app","b":1,"a":2}', '{"log_type": "other"}', '{"log_type":"app"',
        '["log_type","app"]', "plain",
    ]  # fmt: skip
    for text in texts:
        log.write(text)
    log.close()
    rows = written_rows([log])
    assert [r.text for r in rows[BIGQUERY]] == ['{"a":2,"b":1,"log_type":"app"}']
    assert [r.text for r in rows[CLOUD_LOGGING]] == ['{"log_type":"other"}', *texts[2:]]
